"""A folder of arrays: written in blocks of rows, and mapped into memory rather than read.

One ``<name>.npy`` an array, which anything can open, and ``arrays.json`` with the type and the
shape of each: what is missing, cut short or of another shape is found before a number is used.
"""

import json
import mmap
import os
import platform
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

CONTENTS = "arrays.json"
# The system is not asked to have memory for a copy of all that is mapped: it would refuse an array
# larger than the machine's memory. (Python names the flag from 3.13 on.)
_COMMON = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")
NO_RESERVE: int = getattr(mmap, "MAP_NORESERVE", 0x4000 if _COMMON else 0)


class DamagedError(ValueError):
    """A folder of arrays is not as it was written."""


def write(folder: Path, rows: int, blocks: Iterable[Mapping[str, NDArray[Any]]]) -> None:
    """Write arrays side by side, as the blocks of their rows come.

    Args:
        folder: to be made.
        rows: of all blocks together.
        blocks: {name: (B,…)}; the same names, types and shapes beyond the rows in each.

    Raises:
        ValueError: if the blocks differ in that, or have other rows.
    """
    folder.mkdir()
    contents: dict[str, dict[str, Any]] = {}
    written = 0
    with ExitStack() as stack:
        files: dict[str, BinaryIO] = {}
        for block in blocks:
            for name, array in block.items():
                kind = {"dtype": npy.dtype_to_descr(array.dtype), "shape": [rows, *array.shape[1:]]}
                if name not in files:
                    contents[name] = kind
                    files[name] = stack.enter_context((folder / f"{name}.npy").open("wb"))
                    header = {"descr": kind["dtype"], "fortran_order": False, "shape": tuple(kind["shape"])}
                    npy.write_array_header_1_0(files[name], header)
                if contents[name] != kind:
                    raise ValueError(f"{name}: a block of {kind} among blocks of {contents[name]}")
                files[name].write(np.ascontiguousarray(array).data)
            if block.keys() != files.keys():
                raise ValueError(f"a block of {', '.join(block)} among blocks of {', '.join(files)}")
            written += len(next(iter(block.values())))
        if written != rows:
            raise ValueError(f"{written} rows came, and {rows} were to come")
        for file in files.values():  # after a power cut, a file is whole, or its folder is not there
            file.flush()
            os.fsync(file.fileno())
    (folder / CONTENTS).write_text(json.dumps(contents, indent=1))


def mapped(folder: Path) -> dict[str, NDArray[Any]]:
    """The arrays, in the order in which they were written.

    Nothing is read until it is used, all processes share what was read, and the system drops it when
    memory is short. They may be written to: what is written is the process's own and never gets
    into the file.

    Raises:
        DamagedError: if anything is missing or not as it was written.
    """
    try:
        contents = json.loads((folder / CONTENTS).read_text())
        return {name: _map(folder / f"{name}.npy", kind["dtype"], kind["shape"]) for name, kind in contents.items()}
    except FileNotFoundError as error:
        raise DamagedError(f"{error.filename} is missing") from None
    except DamagedError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DamagedError(f"{folder / CONTENTS} is unreadable") from None


def _map(path: Path, dtype: str, shape: list[int]) -> NDArray[Any]:
    with path.open("rb") as file:
        try:
            npy.read_magic(file)
            header = npy.read_array_header_1_0(file)
        except ValueError:
            raise DamagedError(f"{path} is unreadable") from None
        if header != (tuple(shape), False, np.dtype(dtype)):
            raise DamagedError(f"{path} holds another array")
        start, size = file.tell(), os.fstat(file.fileno()).st_size
        if size != start + prod(shape) * np.dtype(dtype).itemsize:
            raise DamagedError(f"{path} has {size} bytes, and its {prod(shape)} numbers are others")
        own = mmap.MAP_PRIVATE | NO_RESERVE
        area = mmap.mmap(file.fileno(), 0, flags=own, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    return np.frombuffer(area, dtype, prod(shape), start).reshape(shape)
