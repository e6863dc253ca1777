"""Rows resampled to equal presence patterns and classes."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmbench import Inputs, Split
from mmbench.nn.augment.balance import balanced_rows
from mmbench.testing.samples import make_task

BOTH = make_task("classification", "vector vector")


def a_split(target, present=None):
    rows = len(target)
    present = torch.ones(rows, 2, dtype=torch.bool) if present is None else present
    return Split(Inputs({f"vector{i}": torch.ones(rows, 5) for i in range(2)}, present).keep(present), target)


def test_classes_become_equally_frequent():
    target = torch.tensor([0] * 90 + [1] * 9 + [2])
    rows = balanced_rows(BOTH, a_split(target), 0)
    assert len(rows) == 100
    counts = target[rows].bincount()
    assert sorted(counts.tolist()) == [33, 33, 34]
    times = rows.bincount(minlength=100)
    assert set(times[:90].tolist()) == {0, 1}
    assert set(times[90:99].tolist()) <= {3, 4}
    assert int(times[99]) == int(counts[2])


def test_presence_patterns_and_classes_are_balanced_together():
    target = torch.arange(120) % 2
    present = torch.ones(120, 2, dtype=torch.bool)
    present[:6, 0] = False
    rows = balanced_rows(BOTH, a_split(target, present), 0)
    cells = present[rows, 0].long() * 2 + target[rows]
    assert cells.bincount().tolist() == [30, 30, 30, 30]


@pytest.mark.parametrize("kind", ["verification", "anomaly"])
def test_zeros_and_ones_are_classes(kind):
    target = (torch.arange(100) < 10).float()[:, None]
    rows = balanced_rows(make_task(kind, "vector vector"), a_split(target), 0)
    assert float(target[rows].mean()) == 0.5


@pytest.mark.parametrize("kind", ["regression", "multilabel"])
def test_without_classes_presence_alone_is_balanced(kind):
    target = (torch.arange(100)[:, None] < torch.tensor([10, 20, 30])).float()
    task = make_task(kind, "vector vector")
    assert balanced_rows(task, a_split(target), 0).tolist() == list(range(100)), "nothing to balance"
    present = torch.ones(100, 2, dtype=torch.bool)
    present[:10, 1] = False
    rows = balanced_rows(task, a_split(target, present), 0)
    assert int((rows < 10).sum()) == 50


def test_the_seed_says_which_rows():
    split = a_split(torch.tensor([0] * 90 + [1] * 10))
    assert torch.equal(balanced_rows(BOTH, split, 3), balanced_rows(BOTH, split, 3))
    assert not torch.equal(balanced_rows(BOTH, split, 3), balanced_rows(BOTH, split, 4))


def test_rows_without_a_label_stay_as_they_are():
    target = torch.tensor([0] * 60 + [1] * 20 + [0] * 20)
    labelled = torch.arange(100) < 80
    rows = balanced_rows(BOTH, replace(a_split(target), labelled=labelled), 0)
    times = rows.bincount(minlength=100)
    assert times[80:].tolist() == [1] * 20
    assert int(times[:60].sum()) == int(times[60:80].sum()) == 40


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=60), st.integers(0, 9))
def test_groups_and_rows_are_used_equally_often_but_for_one(rows, seed):
    target = torch.tensor([label for label, _ in rows])
    present = torch.tensor([[True, there] for _, there in rows])
    found = balanced_rows(BOTH, a_split(target, present), seed)
    assert len(found) == len(rows)
    group = target * 2 + present[:, 1]
    sizes = [int((group[found] == g).sum()) for g in group.unique()]
    assert max(sizes) - min(sizes) <= 1
    times = found.bincount(minlength=len(rows))
    for g in group.unique():
        used = times[group == g]
        assert int(used.max() - used.min()) <= 1
