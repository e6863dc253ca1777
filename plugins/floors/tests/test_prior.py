"""The prior: frequencies and means, of labelled rows alone."""

from dataclasses import replace

import pytest
import torch
from mmbench_floors.prior import Prior

from mmbench import Inputs, Modality, Split, Task


def split_of(target, labelled=None):
    rows = len(target)
    return Split(Inputs({"a": torch.randn(rows, 2)}, torch.ones(rows, 1).bool()), target, labelled)


@pytest.mark.parametrize(
    ("kind", "target", "expected"),
    [
        ("classification", torch.tensor([0, 1, 1, 1, 1]), [0.2, 0.8]),
        ("multilabel", torch.tensor([[0.0, 1], [1, 1], [0, 1], [0, 0]]), [0.25, 0.75]),
        ("anomaly", torch.tensor([[0.0], [1], [0], [0], [0]]), [0.2]),
        ("regression", torch.tensor([[1.0, -1], [3, 0]]), [2.0, -0.5]),
    ],
)
def test_known_values(kind, target, expected):
    task = Task(kind, len(expected), (Modality("a", "vector", (2,)),))
    train = split_of(target)
    p = Prior(task).fit(train, train, None).predict(replace(train, target=None))
    torch.testing.assert_close(p, torch.tensor([expected] * len(target)))


def test_unlabelled_rows_are_left_out():
    task = Task("classification", 2, (Modality("a", "vector", (2,)),))
    train = split_of(torch.tensor([0, 1, 1, 0, 0]), torch.tensor([True, True, True, False, False]))
    p = Prior(task).fit(train, train, None).predict(train)
    torch.testing.assert_close(p[0], torch.tensor([1 / 3, 2 / 3]))
