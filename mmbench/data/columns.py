"""Columns of a stored split as NumPy arrays, some rows at a time: what is read never has to fit in memory."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mmbench.core.errors import MmbenchError

if TYPE_CHECKING:  # a worker that maps what is there already never pays for it
    import datasets

SPLITS = ("train", "validation", "test")
BLOCK = 2**18  # numbers that are held at once, unless one row has more; they stay in the processor's cache


def blocks(split: "datasets.Dataset", columns: Sequence[str]) -> Iterator[dict[str, NDArray[Any]]]:
    """The rows in order, as many at a time as hold about ``BLOCK`` numbers.

    Yields:
        {column: (B,), or (B, width) for lists of fixed size}. They may be views of the file, to be
        read alone. A float that is null is NaN.

    Raises:
        MmbenchError: for nulls where there is no NaN to stand for them.
    """
    rows = max(1, BLOCK // max(1, sum(max(1, width(split, column)) for column in columns)))
    table = split.with_format("arrow", columns=list(columns))  # so that a selection of rows holds
    for start in range(0, len(split), rows):
        part = table[start : start + rows]
        yield {column: _numbers(column, part.column(column), width(split, column)) for column in columns}


def width(split: "datasets.Dataset", column: str) -> int:
    """Numbers in each row; 0 where a row is a number itself, or anything but a list of fixed size."""
    kind = column_type(split, column)
    found = 0
    while hasattr(kind, "list_size"):
        found = max(1, found) * kind.list_size
        kind = kind.value_type
    return found


def column_type(split: "datasets.Dataset", column: str) -> Any:
    """The Arrow type of a column."""
    return split.data.schema.field(column).type


def _numbers(column: str, chunks: Any, wide: int) -> NDArray[Any]:
    array = chunks.combine_chunks()
    rows = len(array)
    while hasattr(array.type, "list_size"):
        if array.null_count:
            raise MmbenchError(f"column {column!r} has {array.null_count} rows that are null")
        array = array.flatten()
    values: NDArray[Any] = array.to_numpy(zero_copy_only=False)
    if array.null_count and not np.issubdtype(array.type.to_pandas_dtype(), np.floating):
        raise MmbenchError(f"column {column!r} of type {array.type} has {array.null_count} numbers that are null")
    return values.reshape(rows, wide) if wide else values
