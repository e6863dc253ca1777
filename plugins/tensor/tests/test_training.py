"""Trained by the harness: what one modality shows, and what only both of them show."""

from importlib import import_module

import pytest
import torch
from mmbench_tensor import mmbench_methods

from mmbench import Inputs, Modality, Split, Task, Training
from mmbench.train.run import CellRun, as_estimator

CARDS = {card.name: card for card in mmbench_methods()}
OPTIONS = {"lr": 1e-2, "batch": 64, "epochs": 12}
TASK = Task("classification", 3, (Modality("a", "vector", (6,)), Modality("b", "sequence", (4, 3))))
XOR = Task("classification", 2, (Modality("a", "vector", (2,)), Modality("b", "vector", (2,))))


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


def synergy(rows, seed):
    """Whether the signs of a and b differ: either alone says nothing."""
    g = torch.Generator().manual_seed(seed)
    a, b = torch.randn(2, rows, 2, generator=g)
    a[:, 0], b[:, 0] = (x[:, 0] + 0.5 * x[:, 0].sign() for x in (a, b))
    return Split(Inputs({"a": a, "b": b}, torch.ones(rows, 2, dtype=torch.bool)), (a[:, 0] * b[:, 0] < 0).long())


def build(card, task):
    module, _, name = card.build.partition(":")
    return getattr(import_module(module), name)(task, width=16, hidden=16, **card.preset)


@pytest.mark.parametrize("name", CARDS)
@pytest.mark.parametrize(("task", "draw", "rows"), [(TASK, separable, 300), (XOR, synergy, 600)])
def test_learns(name, task, draw, rows):
    run = CellRun(task, 0, options=OPTIONS)
    estimator = as_estimator(lambda: build(CARDS[name], task), 0, name)
    estimator.fit(draw(rows, 0), draw(90, 1), run)
    test = draw(90, 2)
    assert (estimator.predict(test.withheld()).argmax(1) == test.target).float().mean() >= 0.95


def test_options_are_the_suites():
    for card in CARDS.values():
        assert build(card, TASK).training_options == Training()
