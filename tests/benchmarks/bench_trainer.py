"""The trainer against the loops that people have: the same model, data, epochs and evaluations. Goal 1."""

from functools import partial

import pytest
from baselines import like_multibench, plain, samples
from pairs import Versus, compare, figure, keep
from problems import FAMILIES, accuracy

FAMILY = "The trainer against other loops"
MULTIBENCH = "a MultiBench-like loop without workers"
AIMS = {"vectors": 2.0, "digits": 1.15}
LEARNT, APART = 0.85, 0.05  # what the data allow every loop, and the noise of seeds


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("family", AIMS)
def test_training(benchmark, family):
    problem = FAMILIES[family]()
    lists = samples(problem.train), samples(problem.validation)
    loops = {
        "mmbench": lambda: problem.fit().model,
        "a plain DataLoader loop": partial(plain, problem),
        MULTIBENCH: partial(like_multibench, problem, *lists),
    }
    if family == "vectors":  # those of convolutions are slow enough already, and in bench_end_to_end
        loops["a MultiBench-like loop with its 8 workers"] = partial(like_multibench, problem, *lists, workers=8)
    models = {}

    def keeping(name):
        def train():
            models[name] = loops[name]()

        return train

    others = {name: keeping(name) for name in loops if name != "mmbench"}
    ours, theirs = compare(benchmark, keeping("mmbench"), others, warm_up=family == "vectors")
    for name, seconds in theirs.items():
        goal = {"goal": 1, "aim": AIMS[family]} if name == MULTIBENCH else {}
        versus = Versus(f"{problem.name}: {name} / mmbench", steps=problem.epochs * problem.steps, **goal)
        keep(benchmark, versus.record(FAMILY, ours, seconds))
    reached = {name: accuracy(model, problem) for name, model in models.items()}
    for name, value in reached.items():
        keep(benchmark, figure("Accuracy on validation after the same epochs", f"{problem.name}: {name}", [value]))
    assert min(reached.values()) >= LEARNT, reached
    assert max(reached.values()) - min(reached.values()) <= APART, reached
