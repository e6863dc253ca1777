"""Trained by the harness."""

from importlib import import_module

import pytest
import torch
from mmbench_jenet import mmbench_methods
from sklearn.metrics import roc_auc_score

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


def xor(rows, seed):
    """y = s_1 s_2, one bit with a little noise in each modality."""
    g = torch.Generator().manual_seed(seed)
    bits = torch.randint(0, 2, (rows, 2), generator=g) * 2 - 1
    a, b = torch.randn(rows, 6, generator=g), torch.randn(rows, 4, 3, generator=g)
    a[:, 0], b[:, 0, 0] = (bits + 0.2 * torch.randn(rows, 2, generator=g)).T
    inputs = Inputs({"a": a, "b": b}, torch.ones(rows, 2, dtype=torch.bool), {"b": torch.full((rows,), 4)})
    return Split(inputs, (bits.prod(1) > 0).long())


def fitted(name, train, validation, **options):
    card = CARDS[name]
    module, _, attribute = card.build.partition(":")
    builder = getattr(import_module(module), attribute)
    estimator = as_estimator(lambda: builder(TASK, width=16, **card.preset), 0, name)
    return estimator.fit(train, validation, CellRun(TASK, 0, options={**OPTIONS, **options}))


@pytest.mark.parametrize("name", CARDS)
def test_learns_a_separable_set(name):
    test = separable(90, 2)
    p = fitted(name, separable(300, 0), separable(90, 1)).predict(test.withheld())
    torch.testing.assert_close(p.sum(1), torch.ones(90))
    assert (p.argmax(1) == test.target).float().mean() >= 0.95


def test_maximum_learns_a_xor():
    test = xor(500, 2)
    p = fitted("jenet-style-max", xor(2000, 0), xor(500, 1), epochs=30).predict(test.withheld())
    assert (p.argmax(1) == test.target).float().mean() >= 0.95


def test_weighted_mean_does_not():
    test = xor(2000, 2)
    p = fitted("jenet-style-weighted", xor(2000, 0), xor(500, 1)).predict(test.withheld())
    assert roc_auc_score(test.target, p[:, 1]) == pytest.approx(0.5, abs=0.05)  # 4 s.e.
