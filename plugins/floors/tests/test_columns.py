"""Samples as a table: what stands in which column."""

import numpy as np
import pytest
import torch
from mmbench_floors.columns import Columns, coarsen

from mmbench import Inputs, Modality, Task


def test_everything_is_there_and_absent_is_marked(make_task, make_split):
    task = make_task("classification", "vector image sequence")
    inputs = make_split(task, 20, missing=True).inputs
    x = Columns(task, 1000, inputs)(inputs, np.nan)
    assert x.shape == (20, 5 + 128 + 18)
    assert x.dtype == np.float32
    starts = [0, 5, 133, 151]
    for i in range(3):
        block, here = x[:, starts[i] : starts[i + 1]], inputs.present[:, i].numpy()
        assert np.isnan(block[~here]).all()
        assert np.isfinite(block[here]).all()
    here = inputs.here("vector0")
    np.testing.assert_array_equal(x[here.numpy(), :5], inputs.values["vector0"][here].numpy())


def test_words_are_counted_from_the_most_frequent():
    task = Task("classification", 2, (Modality("words", "tokens", (5,), vocabulary=6),))
    train = Inputs({"words": torch.tensor([[1, 3, 3, 5, 5], [3, 5, 3, 0, 0]])}, torch.ones(2, 1).bool())
    test = Inputs({"words": torch.tensor([[5, 5, 1, 3, 2], [0, 0, 0, 0, 0]])}, torch.ones(2, 1).bool())
    assert Columns(task, 2, train)(test, 0.0).tolist() == [[1, 2], [0, 0]]  # of 3, then of 5
    assert Columns(task, 100, train)(test, 0.0).tolist() == [[1, 2, 1, 1, 0], [0, 0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("shape", "limit", "expected"),
    [
        ((3, 8, 8), 192, (3, 8, 8)),
        ((3, 8, 8), 191, (3, 4, 4)),
        ((3, 8, 8), 47, (3, 3, 3)),
        ((2, 7), 8, (2, 4)),
        ((2, 4, 9, 9), 60, (2, 2, 3, 3)),
        ((5, 4, 4), 1, (5, 1, 1)),
    ],
)
def test_large_ones_are_averaged(shape, limit, expected):
    x = torch.randn(2, *shape)
    out = coarsen(x, limit)
    assert out.shape[1:] == expected
    if out.shape == x.shape:
        assert torch.equal(out, x)


def test_a_ragged_block_is_averaged_over_what_it_has():
    assert coarsen(torch.tensor([[[1.0, 3.0, 7.0]]]), 2).tolist() == [[[2.0, 7.0]]]
