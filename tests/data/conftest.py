"""Datasets for the tests: a builder in a module of its own, as a plugin would have it."""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from mmbench.core.cards import DatasetCard
from mmbench.core.modality import Modality
from mmbench.core.task import Task

BUILDER = '''
"""A builder that hands out what a test has laid down, and counts."""

MADE = []
LAID = {}


def build(*, which: str = "plain", scale: float = 1.0):
    MADE.append(which)
    return LAID[which](scale)
'''
TASK = Task("classification", 3, (Modality("left", "vector", (4,)), Modality("right", "sequence", (5, 2))))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def workshop(tmp_path, monkeypatch) -> ModuleType:
    """The module that builds the datasets of a test."""
    (tmp_path / "plugin").mkdir()
    (tmp_path / "plugin" / "mmbench_workshop.py").write_text(BUILDER)
    monkeypatch.syspath_prepend(tmp_path / "plugin")
    importlib.invalidate_caches()
    yield importlib.import_module("mmbench_workshop")
    del sys.modules["mmbench_workshop"]


@pytest.fixture
def toy() -> SimpleNamespace:
    """A task, and ``columns(rows, seed)`` of it."""

    def columns(rows: int, seed: int = 0) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(seed)
        length = rng.integers(1, 6, rows)
        right = rng.normal(3.0, 2.0, (rows, 5, 2)) * (np.arange(5) < length[:, None])[..., None]
        return {
            "left": rng.normal(-1.0, 5.0, (rows, 4)).astype(np.float32),
            "right": right.astype(np.float32),
            "right:length": length,
            "target": rng.integers(0, 3, rows),
            "group": rng.integers(0, 4, rows),
        }

    def card(task: Task = TASK, **more: object) -> DatasetCard:
        return DatasetCard(**{"name": "toy", "summary": "", "build": "mmbench_workshop:build", "task": task, **more})

    return SimpleNamespace(task=TASK, columns=columns, card=card)


@pytest.fixture
def kept(cache, workshop, toy) -> Callable:
    """``kept(task, {split: columns})``: a dataset in the cache."""
    import datasets

    from mmbench.data.cache import prepare
    from mmbench.data.source import Source, table

    def in_the_cache(task, parts):
        which = str(len(workshop.LAID))
        splits = datasets.DatasetDict({name: table(task, columns) for name, columns in parts.items()})
        workshop.LAID[which] = lambda scale: Source(task, splits)
        return prepare(toy.card(task), {"which": which})

    return in_the_cache


@pytest.fixture
def prepared(kept) -> Callable:
    """``prepared(task, {split: columns})``: the splits of a dataset that went through the cache."""
    from mmbench.data.splits import load_splits

    def through_the_cache(task, parts):
        found = kept(task, parts)
        return load_splits(found.task, found.folder)

    return through_the_cache
