"""Trained by the harness: every method learns a small problem, and where seeds can, they learn at once."""

import pytest
import torch
from mmbench_pooling import mmbench_methods

from mmbench import Inputs, Modality, Split, Task
from mmbench.registry import load
from mmbench.train.run import CellRun, as_estimator, train_together

CARDS = {card.name: card for card in mmbench_methods()}
OPTIONS = {"lr": 1e-2, "batch": 64, "epochs": 12}
TASK = Task("classification", 3, (Modality("a", "vector", (6,)), Modality("b", "sequence", (4, 3))))


def separable(rows, seed):
    """Three classes, plain in each modality; one sample in five lacks one of them."""
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(rows) % 3
    centres = 2.5 * torch.nn.functional.one_hot(y, 3).float()
    a = torch.cat([centres, torch.zeros(rows, 3)], 1) + 0.3 * torch.randn(rows, 6, generator=g)
    b = centres[:, None].expand(-1, 4, -1) + 0.3 * torch.randn(rows, 4, 3, generator=g)
    present = torch.ones(rows, 2, dtype=torch.bool)
    present[::10, 0] = present[5::10, 1] = False
    return Split(Inputs({"a": a, "b": b}, torch.ones_like(present), {"b": torch.full((rows,), 4)}).keep(present), y)


def estimator(name, seed=0, **more):
    card = CARDS[name]
    return as_estimator(lambda: load(card)(TASK, width=16, hidden=16, **card.preset, **more), seed, name)


def accuracy(fitted):
    test = separable(90, 2)
    p = fitted.predict(test.withheld())
    torch.testing.assert_close(p.sum(1), torch.ones(90))
    return (p.argmax(1) == test.target).float().mean()


CASES = [*[(name, {}) for name in CARDS], ("hybrid-pooling", {"norm": "layer"}), ("gmu", {"gate": "softmax"})]


@pytest.mark.parametrize(("name", "more"), CASES)
def test_learns_a_separable_set(name, more):
    run = CellRun(TASK, 0, options=OPTIONS)
    assert accuracy(estimator(name, **more).fit(separable(300, 0), separable(90, 1), run)) >= 0.95


@pytest.mark.parametrize("name", ["hybrid-pooling", "fuser-attention"])
def test_seeds_learn_at_once(name):
    """Running statistics and the class token's attention under ``vmap``."""
    seeds = (0, 1)
    runs = [CellRun(TASK, seed, options=OPTIONS) for seed in seeds]
    estimators = [estimator(name, seed) for seed in seeds]
    assert train_together(runs, estimators, separable(300, 0), separable(90, 1)) == [None, None]
    for fitted in estimators:
        assert accuracy(fitted) >= 0.95


def test_running_statistics_are_those_of_the_data():
    run = CellRun(TASK, 0, options={**OPTIONS, "select": "last"})
    train = separable(300, 0)
    model = estimator("hybrid-pooling-static").fit(train, separable(90, 1), run).fitted.model
    with torch.no_grad():
        f = model.fuse.project(model.encode(train.inputs).stack())
    for m in range(2):
        here = f[train.inputs.present[:, m], m]
        deviation = here.std(0)
        away = (model.fuse.standardise.mean[m] - here.mean(0)) / deviation
        assert away.abs().max() < 0.5
        assert (model.fuse.standardise.variance[m].sqrt() / deviation - 1).abs().max() < 0.5
