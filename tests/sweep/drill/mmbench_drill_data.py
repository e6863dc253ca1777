"""Data of the drill."""

import os

import datasets
import numpy as np
from mmbench_drill import TASK

from mmbench import Source
from mmbench.data.source import table


def build(*, rows: int = 96, test: int = 60, missing: float = 0.0) -> Source:
    sizes = {"train": rows, "validation": 48, "test": test}
    splits = {name: _split(np.random.default_rng([7, i]), n, missing) for i, (name, n) in enumerate(sizes.items())}
    return Source(TASK, datasets.DatasetDict(splits))


def _split(rng: np.random.Generator, rows: int, missing: float) -> datasets.Dataset:
    target = np.arange(rows) % 3
    columns = {"target": target}
    for modality in TASK.modalities:
        centres = np.random.default_rng(1).normal(size=(3, *modality.shape)) * 3
        columns[modality.name] = np.round(centres[target] + rng.normal(size=(rows, *modality.shape)), 4).astype("f4")
    if missing:
        columns["present"] = rng.random((rows, 2)) >= missing
    return table(TASK, columns)


def broken(*, rows: int = 1) -> Source:
    raise OSError("the disk with the recordings is not there")


def mortal(*, rows: int = 1) -> Source:
    os._exit(5)
