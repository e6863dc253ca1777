"""Two seeds: MultiBench's way in one process, and mmbench's two processes side by side. Goal 10.

Training and validation are timed; processes are up and have their data. Loaders' workers are started
anew in every epoch, as that way has it.
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial

import pytest
import torch
from baselines import like_multibench, samples
from pairs import Versus, compare, keep
from problems import fit_shared, shared

AIMS = {"vectors": 4.0, "digits": 2.0}
SEEDS = (0, 1)
CASES = [("vectors", 2, 1, 7), ("digits", 1, 1, 7), ("digits", 1, 2, 3)]


@pytest.fixture(scope="module")
def workers():
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, context, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        yield pool


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize(("family", "epochs", "threads", "rounds"), CASES)
def test_two_seeds_end_to_end(benchmark, workers, family, epochs, threads, rounds):
    """A library that does not set torch's threads takes all cores: that is listed too, where it may help."""
    problem = replace(shared(family), epochs=epochs)
    lists = samples(problem.train), samples(problem.validation)

    def ours():
        list(workers.map(partial(fit_shared, family, epochs=epochs), SEEDS))

    def theirs():
        torch.set_num_threads(threads)
        for _ in SEEDS:
            like_multibench(problem, *lists, workers=8)
        torch.set_num_threads(1)

    ours()  # each worker makes its data
    seconds, against = compare(benchmark, ours, {"theirs": theirs}, rounds, warm_up=False)
    goal = {"goal": 10, "aim": AIMS[family]} if threads == 1 else {}
    kind = "one thread" if threads == 1 else f"{threads} threads"
    what = f"{problem.name}: a MultiBench-like loop in one process of {kind}, with its 8 workers / mmbench"
    versus = Versus(what, "faster", steps=len(SEEDS) * epochs * problem.steps, **goal)
    keep(benchmark, versus.record("End to end: two seeds on two cores", seconds, against["theirs"]))
