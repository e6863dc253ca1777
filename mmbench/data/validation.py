"""Validation: a dataset is looked through once, when it is made, so that no method meets what it cannot be."""

from math import prod
from typing import Any

import datasets
import numpy as np

from mmbench.core.errors import MmbenchError
from mmbench.core.modality import Modality
from mmbench.core.task import BERNOULLI, Task
from mmbench.data.columns import blocks, column_type, width
from mmbench.data.source import Source


def validate(source: Source, name: str) -> None:
    """Look through every column of every split.

    Raises:
        MmbenchError: with the split, the column, what is wrong and in how many rows.
    """
    task = source.task
    for part, split in source.splits.items():
        where = f"dataset {name!r}, {part}"
        if not len(split):
            raise MmbenchError(f"{where}: it has no rows")
        if "present" in split.column_names:
            _check_width(split, "present", len(task.modalities), where)
        for modality in task.modalities:
            _check_modality(split, task, modality, where)
        if "target" in split.column_names:
            _check_target(split, task, where)
        elif task.kind != "retrieval":
            raise MmbenchError(f"{where}: there is no column 'target'")


def _check_modality(split: datasets.Dataset, task: Task, modality: Modality, where: str) -> None:
    """What is absent or padded may be anything: it is blanked when splits are standardised."""
    name, length = modality.name, f"{modality.name}:length"
    _check_width(split, name, prod(modality.shape), where)
    columns = [column for column in (name, "present", length) if column in split.column_names]
    has_length = modality.timed and length in columns
    if has_length:
        _check_width(split, length, 0, where)
    wrong_length, wrong_value = [], []
    for block in blocks(split, columns):
        values = block[name]
        here = block["present"][:, task.names.index(name)] if "present" in block else np.ones(len(values))
        real = here.astype(bool)[:, None]
        if has_length:
            steps, lengths = modality.shape[0], block[length]
            wrong_length.append((lengths < 1) | (lengths > steps))
            real = (real & (np.arange(steps) < lengths[:, None])).repeat(prod(modality.shape[1:]), 1)
        tokens = modality.kind == "tokens"
        wrong = (values < 0) | (values >= modality.vocabulary) if tokens else ~np.isfinite(values)
        wrong_value.append((wrong & real).any(1))
    where_modality = f"{where}, modality {name!r}"
    if has_length:
        _refuse(wrong_length, where_modality, f"has a length outside 1 to {modality.shape[0]}")
    what = "has ids outside the vocabulary" if modality.kind == "tokens" else "is NaN or infinite"
    _refuse(wrong_value, where_modality, what)


def _check_target(split: datasets.Dataset, task: Task, where: str) -> None:
    where_target = f"{where}, target"
    classes = task.kind == "classification"
    _check_width(split, "target", 0 if classes else task.outputs, where)
    kind = str(column_type(split, "target"))
    if classes and kind != "int64":
        raise MmbenchError(f"{where_target}: classes are int64, not {kind}")
    no_class, no_number, no_label = [], [], []
    for block in blocks(split, ["target"]):
        target = block["target"].reshape(len(block["target"]), -1)
        no_class.append(((target < 0) | (target >= task.outputs)).any(1))
        no_number.append(~np.isfinite(target).all(1))
        no_label.append(~np.isin(target, (0, 1)).all(1))
    _refuse(no_number, where_target, "is NaN or infinite")
    if classes:
        _refuse(no_class, where_target, f"is no class of 0 to {task.outputs - 1}")
    if task.kind in BERNOULLI:
        _refuse(no_label, where_target, "is neither 0 nor 1")


def _refuse(wrong: list[Any], where: str, what: str) -> None:
    """Raise if any row is wrong, given as (B,) bool of each block."""
    rows = np.concatenate(wrong)
    count = int(rows.sum())
    if count:
        raise MmbenchError(f"{where}: it {what} in {count} of {len(rows)} rows, first in row {int(rows.argmax())}")


def _check_width(split: datasets.Dataset, column: str, wanted: int, where: str) -> None:
    """Refuse a column that is missing or not of lists of that size; of numbers, where it is 0."""
    if column not in split.column_names:
        raise MmbenchError(f"{where}: there is no column {column!r}")
    found = width(split, column)
    if found != wanted:
        raise MmbenchError(
            f"{where}: column {column!r} holds {found or 'no'} numbers a row, and the task says {wanted}"
        )
