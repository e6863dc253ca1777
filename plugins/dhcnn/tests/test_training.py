"""Trained by the harness."""

from importlib import import_module

import pytest
import torch
from mmbench_dhcnn import mmbench_methods

from mmbench import Inputs, Modality, Split, Task
from mmbench.train.run import CellRun, as_estimator

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


@pytest.mark.parametrize("name", CARDS)
def test_learns_a_separable_set(name):
    card = CARDS[name]
    module, _, attribute = card.build.partition(":")
    builder = getattr(import_module(module), attribute)
    estimator = as_estimator(lambda: builder(TASK, width=16, hidden=16, **card.preset), 0, name)
    estimator.fit(separable(300, 0), separable(90, 1), CellRun(TASK, 0, options=OPTIONS))
    test = separable(90, 2)
    p = estimator.predict(test.withheld())
    torch.testing.assert_close(p.sum(1), torch.ones(90))
    assert (p.argmax(1) == test.target).float().mean() >= 0.95
