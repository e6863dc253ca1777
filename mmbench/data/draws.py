"""What builders of datasets share: seeded streams, stratified splits, and rounding.

Computed values are rounded before they are stored, so that the content, and its fingerprint, is the
same on machines whose BLAS or libm differ in the last bits.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import datasets
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from mmbench.core.parameters import Range
from mmbench.core.task import Task
from mmbench.data.source import SPLITS, table

Array = NDArray[np.float64]
Columns = dict[str, NDArray[Any]]
Seed = Annotated[int, Range(0, 2**31 - 1)]
Rows = Annotated[int, Range(10, 1_000_000)]


def stream(seed: int, name: str) -> Generator:
    """The random numbers of one part of a dataset; streams of other names are independent of it."""
    return np.random.default_rng([seed, *name.encode()])


def rounded(x: Array) -> NDArray[np.float32]:
    """Values as they are stored: four decimals (see the module's text)."""
    return (np.round(x, 4) + 0.0).astype(np.float32)  # + 0.0 makes one zero of two


def tables(task: Task, parts: Mapping[str, Columns]) -> datasets.DatasetDict:
    """The columns of each split as a ``DatasetDict``."""
    return datasets.DatasetDict({name: table(task, columns) for name, columns in parts.items()})


def deal(rng: Generator, labels: NDArray[Any], sizes: tuple[int, int, int]) -> dict[str, NDArray[np.int64]]:
    """Rows of each split, stratified: every split has each class in proportion, within one row.

    Args:
        rng: decides which rows go where.
        labels: (N,) classes; all equal for a plain random split.
        sizes: of the splits, N in all.
    """
    place = np.empty(len(labels))  # each class spread evenly over [0, 1): any stretch has all in proportion
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        place[mine] = (rng.permutation(len(mine)) + rng.random()) / len(mine)
    ends = np.cumsum(sizes)
    if ends[-1] != len(labels):
        raise ValueError(f"splits of {sizes} do not add up to {len(labels)} rows")
    parts = np.split(np.argsort(place, kind="stable"), ends[:-1])
    return {name: rng.permutation(part) for name, part in zip(SPLITS, parts, strict=True)}
