"""What the builder of a dataset gives: a ``DatasetDict`` and what its columns mean.

Columns of each split (rows are samples):

========================  ==========================================================================
``<modality>``            fixed-size list of the flattened shape, raw: float32, or uint8, which stays so in
                          memory and is standardised a batch at a time; int64 for tokens
``<modality>:length``     int64, optional: frames that are not padding; sequences and tokens alone
``target``                int64 class, or fixed-size list of K float32; absent in retrieval
``present``               fixed-size list of M bool, optional: which modalities a sample has
``group``                 int64, optional: samples of one group depend on one another
========================  ==========================================================================
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from secrets import token_hex

import datasets
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mmbench.core.errors import MmbenchError
from mmbench.core.task import Task
from mmbench.data.columns import SPLITS as SPLITS  # builders import it from here


@dataclass(frozen=True)
class Source:
    """A dataset under certain parameters.

    Args:
        task: with the true shapes.
        splits: ``train``, ``validation`` and ``test``, in the columns above.
        ceiling: the best expected score of the task's metric, where it is known.
    """

    task: Task
    splits: datasets.DatasetDict
    ceiling: float | None = None

    def __post_init__(self) -> None:
        if set(self.splits) != set(SPLITS):
            raise MmbenchError(f"a dataset has the splits {', '.join(SPLITS)}, not {', '.join(self.splits)}")


def table(task: Task, columns: Mapping[str, NDArray[np.generic]]) -> datasets.Dataset:
    """A split from arrays: modalities (N,*shape), and the other columns as the module says.

    Raises:
        MmbenchError: for a missing column, a wrong shape, or rows that do not match.
    """
    rows = len(next(iter(columns.values())))
    for modality in task.modalities:
        if modality.name not in columns:
            raise MmbenchError(f"there is no column for modality {modality.name!r}")
        if columns[modality.name].shape[1:] != modality.shape:
            raise MmbenchError(
                f"modality {modality.name!r} has samples of shape {columns[modality.name].shape[1:]}, "
                f"and its task says {modality.shape}"
            )
    arrays: dict[str, pa.Array] = {}
    for name, column in columns.items():
        if len(column) != rows:
            raise MmbenchError(f"column {name!r} has {len(column)} rows, and others have {rows}")
        arrays[name] = _arrow(column)
    # The library's own fingerprint would copy all of it several times; mmbench hashes the content itself.
    return datasets.Dataset(pa.table(arrays), fingerprint=token_hex(8))


def _arrow(column: NDArray[np.generic]) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(column).reshape(-1))
    width = prod(column.shape[1:])
    return flat if column.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, width)
