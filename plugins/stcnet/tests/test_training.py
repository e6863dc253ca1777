"""Trained by the harness: both variants learn a small problem with absent modalities."""

import pytest
import torch
from mmbench_stcnet.stcnet import STCNetStyle

from mmbench import Inputs, Modality, Split, Task
from mmbench.train.run import CellRun, as_estimator

TASK = Task("classification", 3, (Modality("a", "vector", (6,)), Modality("b", "sequence", (4, 3))))


def separable(rows, seed):
    """Three classes, plain in each modality; one sample in five lacks one of them."""
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(rows) % 3
    centres = 2.5 * torch.nn.functional.one_hot(y, 3).float()
    a = torch.cat([centres, torch.zeros(rows, 3)], 1) + 0.3 * torch.randn(rows, 6, generator=g)
    b = centres[:, None] + 0.3 * torch.randn(rows, 4, 3, generator=g)
    present = torch.ones(rows, 2, dtype=torch.bool)
    present[::10, 0] = present[5::10, 1] = False
    return Split(Inputs({"a": a, "b": b}, torch.ones_like(present), {"b": torch.full((rows,), 4)}).keep(present), y)


@pytest.mark.parametrize("block", [True, False])
def test_learns_a_separable_set(block):
    run = CellRun(TASK, 0, options={"lr": 1e-2, "batch": 64, "epochs": 8})
    build = lambda: STCNetStyle(TASK, nonlocal_block=block, width=16, hidden=16)  # noqa: E731
    estimator = as_estimator(build, 0, "stcnet-style").fit(separable(300, 0), separable(90, 1), run)
    test = separable(90, 2)
    assert (estimator.predict(test.withheld()).argmax(1) == test.target).float().mean() >= 0.95
