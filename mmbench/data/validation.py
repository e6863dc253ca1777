"""Validation: a dataset is looked through once, when it is made, so that no method meets what it cannot be."""

from math import prod
from typing import Any

import datasets
import numpy as np

from mmbench.core.errors import MmbenchError
from mmbench.core.modality import Modality
from mmbench.core.task import BERNOULLI, Task
from mmbench.data.source import Source


def validate(source: Source, name: str) -> None:
    """Look through every column of every split.

    Raises:
        MmbenchError: with the split, the column, what is wrong and in how many rows.
    """
    for part, split in source.splits.items():
        where = f"dataset {name!r}, {part}"
        if not len(split):
            raise MmbenchError(f"{where}: it has no rows")
        present = _array(split, "present", len(source.task.modalities), where) if _has(split, "present") else None
        for i, modality in enumerate(source.task.modalities):
            here = np.ones(len(split), dtype=bool) if present is None else present[:, i].astype(bool)
            _check_modality(split, modality, here, where)
        if _has(split, "target"):
            _check_target(split, source.task, where)
        elif source.task.kind != "retrieval":
            raise MmbenchError(f"{where}: there is no column 'target'")


def _check_modality(split: datasets.Dataset, modality: Modality, here: Any, where: str) -> None:
    """What is absent or padded may be anything: it is blanked when splits are loaded."""
    values = _array(split, modality.name, prod(modality.shape), where)
    where_modality = f"{where}, modality {modality.name!r}"
    real = here[:, None]
    length = f"{modality.name}:length"
    if modality.timed and _has(split, length):
        steps = modality.shape[0]
        lengths = _array(split, length, 0, where)
        _refuse((lengths < 1) | (lengths > steps), where_modality, f"has a length outside 1 to {steps}")
        frames = real & (np.arange(steps) < lengths[:, None])
        real = frames.repeat(prod(modality.shape[1:]), 1)
    if modality.kind == "tokens":
        outside = (values < 0) | (values >= modality.vocabulary)
        _refuse((outside & real).any(1), where_modality, "has ids outside the vocabulary")
    else:
        _refuse((~np.isfinite(values) & real).any(1), where_modality, "is NaN or infinite")


def _check_target(split: datasets.Dataset, task: Task, where: str) -> None:
    where_target = f"{where}, target"
    target = _array(split, "target", 0 if task.kind == "classification" else task.outputs, where)
    if task.kind == "classification":
        if target.dtype != np.int64:
            raise MmbenchError(f"{where_target}: classes are int64, not {target.dtype}")
        _refuse((target < 0) | (target >= task.outputs), where_target, f"is no class of 0 to {task.outputs - 1}")
        return
    _refuse(~np.isfinite(target).all(1), where_target, "is NaN or infinite")
    if task.kind in BERNOULLI:
        _refuse(~np.isin(target, (0, 1)).all(1), where_target, "is neither 0 nor 1")


def _refuse(wrong: Any, where: str, what: str) -> None:
    count = int(wrong.sum())
    if count:
        first = int(wrong.argmax())
        raise MmbenchError(f"{where}: it {what} in {count} of {len(wrong)} rows, first in row {first}")


def _has(split: datasets.Dataset, column: str) -> bool:
    return column in split.column_names


def _array(split: datasets.Dataset, column: str, width: int, where: str) -> Any:
    """(N,) for width 0, else (N, width).

    Raises:
        MmbenchError: if the column is missing or not of fixed-size lists of that width.
    """
    if not _has(split, column):
        raise MmbenchError(f"{where}: there is no column {column!r}")
    values = split.with_format("arrow")[:].column(column).combine_chunks()
    found = getattr(values.type, "list_size", 0)
    if found != width:
        raise MmbenchError(f"{where}: column {column!r} holds {found or 'no'} numbers a row, and the task says {width}")
    numbers = values.flatten() if width else values
    return numbers.to_numpy(zero_copy_only=False).reshape((len(split), width) if width else (len(split),))
