"""Clean datasets, in which a test plants what the check should find."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.data.check.check import look_into

SIZES = {"train": 200, "validation": 60, "test": 80}


@pytest.fixture
def clean() -> SimpleNamespace:
    """A task of two vectors, a sequence and tokens, and ``parts`` of it that a test may spoil."""
    modalities = (
        Modality("left", "vector", (6,)),
        Modality("right", "vector", (8,)),
        Modality("motion", "sequence", (32, 2)),
        Modality("words", "tokens", (12,), vocabulary=500),
    )
    rng = np.random.default_rng(3)
    parts, first_group = {}, 0
    for name, rows in SIZES.items():
        parts[name] = {
            "left": rng.normal(5, 2, (rows, 6)).astype("f4"),
            "right": rng.normal(size=(rows, 8)).astype("f4"),
            "motion": rng.normal(size=(rows, 32, 2)).astype("f4"),
            "motion:length": np.full(rows, 32),
            "words": rng.integers(1, 500, (rows, 12)),
            "words:length": np.full(rows, 12),
            "target": np.arange(rows) % 4,
            "group": first_group + np.arange(rows) // 10,
        }
        first_group += rows
    return SimpleNamespace(task=Task("classification", 4, modalities), parts=parts)


@pytest.fixture
def checked(kept) -> Callable:
    """``checked(task, parts)``: the findings, by way of the cache."""
    return lambda task, parts: look_into(kept(task, parts))
