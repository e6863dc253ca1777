"""Reading the files of collections: arrays and tables of plain numbers and bytes; nothing is unpickled."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mmbench.core.errors import MmbenchError
from mmbench.data.locate import collection

Array = NDArray[Any]


def npz(folder: str, name: str) -> dict[str, Array]:
    """The arrays of ``<collection>/<name>.npz``."""
    path = _there(collection(folder) / f"{name}.npz")
    with np.load(path, allow_pickle=False) as stored:
        return {key: stored[key] for key in stored.files}


def parquet(folder: str, name: str) -> dict[str, list[Any]]:
    """The columns of ``<collection>/<name>.parquet``."""
    columns: dict[str, list[Any]] = pq.read_table(_there(collection(folder) / f"{name}.parquet")).to_pydict()
    return columns


def idx(folder: str, name: str) -> Array:
    """An array of bytes in the format of MNIST: two zeros, type 8, the rank, the sizes, the values."""
    path = _there(collection(folder) / f"{name}.gz")
    content = gzip.decompress(path.read_bytes())
    rank = content[3] if content[:3] == b"\0\0\x08" else 0
    shape = np.frombuffer(content, ">i4", rank, 4)
    if not rank or len(content) != 4 + 4 * rank + int(shape.prod()):
        raise MmbenchError(f"{path} is damaged: it is no array of bytes in idx format")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


def _there(path: Path) -> Path:
    if not path.is_file():
        raise MmbenchError(f"{path} is missing; `mmbench data verify {path.parent.name}` says what else is")
    return path
