"""Training of every installed method: samples a second, and its time as a multiple of late fusion's."""

from functools import partial

import pytest
from mmbench_levels.late import Late
from pairs import Versus, compare, keep, rounds_of
from problems import Problem, digits, sequences, vectors

from mmbench.core.cards import MethodCard
from mmbench.registry import installed, load
from mmbench.train.run import CellRun, as_estimator

FAMILY = "Training of every method against late fusion"
PROBLEMS = {"vectors": partial(vectors, 800), "digits": partial(digits, 120), "sequences": partial(sequences, 160)}
EPOCHS = 2
METHODS = [card for card in installed().methods.values() if card.role == "method" and not card.opt_in]


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("card", METHODS, ids=lambda card: card.name)
def test_training(benchmark, card, name):
    problem = PROBLEMS[name]()
    if card.refuses(problem.task):
        pytest.skip(card.refuses(problem.task))
    samples = EPOCHS * problem.steps * problem.batch
    versus = Versus(f"{name}: {card.name} / late", "share", steps=samples, each="sample")
    late = MethodCard("late", "", f"{Late.__module__}:Late")
    ours, theirs = compare(
        benchmark, partial(train, card, problem), {"late": partial(train, late, problem)}, rounds_of(3)
    )
    record = versus.record(FAMILY, ours, theirs["late"])
    keep(benchmark, {**record, "method": card.name, "problem": name, "modalities": problem.name})


def train(card: MethodCard, problem: Problem) -> None:
    """All that the method trains, as in a cell: several models, if it needs several; each for all epochs."""
    run = CellRun(problem.task, 0, options=problem.options(EPOCHS))
    run.metric = lambda prediction, split: float((prediction.argmax(1) == split.target).float().mean())
    build = partial(load(card), problem.task, **card.preset)
    as_estimator(build, 0, card.name).fit(problem.train, problem.validation, run)
    assert run.fits
    assert all(fit.epochs >= EPOCHS for fit in run.fits), "a training ended early: its time is not that of the others"
