"""From columns of all rows to splits; and validation parts, cut from the training rows of a published split."""

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from mmbench.core.task import Task
from mmbench.data.draws import Columns, deal, tables
from mmbench.data.source import Source

Parts = dict[str, NDArray[np.int64]]


def source(task: Task, columns: Columns, parts: Parts) -> Source:
    """The dataset whose splits have the rows ``parts`` of ``columns``."""
    return Source(task, tables(task, {part: {k: x[rows] for k, x in columns.items()} for part, rows in parts.items()}))


def held_out(rng: Generator, published: NDArray[Any], label: NDArray[Any], validation: int) -> Parts:
    """Rows of each split: ``validation`` training rows, stratified by label, are the validation.

    Args:
        rng: decides which.
        published: (N,) ``train`` or ``test``.
        label: (N,).
        validation: rows. Samples have to be independent: see ``held_out_groups``.
    """
    train = np.flatnonzero(published == "train")
    parts = deal(rng, label[train], (len(train) - validation, validation, 0))
    return {
        "train": train[parts["train"]],
        "validation": train[parts["validation"]],
        "test": np.flatnonzero(published == "test"),
    }


def held_out_groups(published: NDArray[Any], group: NDArray[np.int64], validation: tuple[int, ...]) -> Parts:
    """Rows of each split: all rows of some groups (people, videos) of train are the validation."""
    mine, train = np.isin(group, validation), published == "train"
    parts = {"train": train & ~mine, "validation": train & mine, "test": published == "test"}
    return {name: np.flatnonzero(part) for name, part in parts.items()}
