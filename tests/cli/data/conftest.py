"""A plugin with small datasets, installed for these tests alone, and ``mmbench`` run as users run it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CARDS = '''
"""Cards of small datasets: a clean one, and some with an equal row in train and test."""

from mmbench import DatasetCard, Modality, Task, hookimpl

TASK = Task("classification", 2, (Modality("left", "vector", (4,)), Modality("right", "sequence", (5, 2))))
SAYS = "1 row of test is equal to a row of train in every modality (class agrees)"


@hookimpl
def mmbench_datasets():
    def card(name, **more):
        return DatasetCard(name, f"the {name} one", "mmbench_small_data:build", TASK, sizes=(40, 20, 20), **more)

    return [
        card("clean", licence="MIT", notes="Nothing leaks.", group="person", protocols={"quick": "too small"}),
        card("leaky", preset={"leak": 1}),
        card("stated", preset={"leak": 1}, findings=(SAYS, "this was mended")),
        card("far", collections=("stars", "moons")),
    ]
'''
DATA = '''
"""Data of the small datasets."""

import datasets
import numpy as np
from mmbench_small import TASK

from mmbench import Source
from mmbench.data.source import table


def build(*, rows: int = 40, leak: int = 0) -> Source:
    rng = np.random.default_rng(0)
    parts = {}
    for name, count in (("train", rows), ("validation", 20), ("test", 20)):
        parts[name] = {m.name: rng.normal(size=(count, *m.shape)).astype("f4") for m in TASK.modalities}
        parts[name]["target"] = np.arange(count) % 2
    for column in parts["test"]:
        parts["test"][column][:leak] = parts["train"][column][:leak]
    return Source(TASK, datasets.DatasetDict({name: table(TASK, part) for name, part in parts.items()}))
'''

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def mmbench(tmp_path: Path) -> Run:
    """``mmbench(WORDS…, NAME=value…)`` with the small datasets alone, and an empty cache."""
    info = tmp_path / "site" / "small-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: small\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mmbench]\nsmall = mmbench_small\n")
    (info.parent / "mmbench_small.py").write_text(CARDS)
    (info.parent / "mmbench_small_data.py").write_text(DATA)
    known = {name: value for name, value in os.environ.items() if name != "MMBENCH_DATA"}
    environment = {
        **known,
        "PYTHONPATH": os.pathsep.join([str(info.parent), *os.environ.get("PYTHONPATH", "").split()]),
        "MMBENCH_CACHE": str(tmp_path / "cache"),
        "MMBENCH_DISABLE_PLUGINS": "embedded,real,floors,levels,oracle",
    }

    def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mmbench", *words],
            cwd=tmp_path,
            env={**environment, **variables},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run
