"""The digest of what a file of a collection holds, whatever packs it: one definition for every format.

======================  ================================================================================
``*-ubyte.gz``          the bytes that come out of gzip
``*.npz``               of every array, by name: name, type, shape, numbers in C order
``*.parquet``           of every column, by name: name, type, rows, values; structures field by field
anything else           its bytes
======================  ================================================================================

Numbers are little-endian. Text and bytes are hashed with their lengths; bytes that are a JPEG file count
as their decoded pixels (height, width, 3), since two encoders may write the same picture in other bytes.
"""

import gzip
import io
import zipfile
import zlib
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmbench.core.errors import MmbenchError

if TYPE_CHECKING:  # a file that is as published is known by its bytes, without these
    from hashlib import _Hash

    from numpy.typing import NDArray

CHUNK = 2**20
JPEG = b"\xff\xd8\xff"


def file_digest(path: Path) -> str:
    """sha256 of the bytes of a file."""
    digest = sha256()
    with path.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def content_digest(path: Path) -> str:
    """sha256 of what a file holds.

    Raises:
        MmbenchError: if it cannot be read as what its name says, or needs pickle to be.
        OSError: if there is no such file.
    """
    digest = sha256()
    readers = {".gz": _idx, ".npz": _npz, ".parquet": _parquet}
    with path.open("rb"):
        pass  # what is not there, or not to be read, is told as such
    try:
        readers.get(path.suffix, _bytes)(path, digest)
    except (OSError, ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile, SyntaxError) as error:
        raise MmbenchError(f"it cannot be read: {error}") from None
    except ImportError as error:
        raise MmbenchError(f"to read it needs {error.name}, which is not installed") from None
    return digest.hexdigest()


def _bytes(path: Path, digest: "_Hash") -> None:
    digest.update(path.read_bytes())


def _idx(path: Path, digest: "_Hash") -> None:
    with gzip.open(path, "rb") as opened:
        while chunk := opened.read(CHUNK):
            digest.update(chunk)


def _npz(path: Path, digest: "_Hash") -> None:
    import numpy as np

    with np.load(path, allow_pickle=False) as arrays:
        for name in sorted(arrays.files):
            _array(digest, name, arrays[name])


def _parquet(path: Path, digest: "_Hash") -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    for name in sorted(table.column_names):
        _column(digest, name, table.column(name).combine_chunks())


def _array(digest: "_Hash", name: str, array: "NDArray[Any]") -> None:
    import numpy as np

    if array.dtype.hasobject:
        raise ValueError(f"array {name!r} holds objects")
    array = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))
    digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
    digest.update(array.tobytes())


def _column(digest: "_Hash", name: str, column: Any) -> None:
    """An Arrow array."""
    import numpy as np
    import pyarrow as pa

    if column.null_count:
        raise ValueError(f"column {name!r} has {column.null_count} rows that are null")
    kind = column.type
    if pa.types.is_struct(kind):
        for number in range(kind.num_fields):
            _column(digest, f"{name}.{kind.field(number).name}", column.field(number))
        return
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        values = [value.encode() if isinstance(value, str) else _picture(value) for value in column.to_pylist()]
        digest.update(f"{name} {kind} {len(values)}\n".encode())
        digest.update(np.array([len(value) for value in values], "<i8").tobytes())
        for value in values:
            digest.update(value)
        return
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        raise ValueError(f"column {name!r} has type {kind}")
    _array(digest, name, column.to_numpy(zero_copy_only=False))


def _picture(value: bytes) -> bytes:
    """The pixels of a JPEG file after their shape, or the bytes of anything else."""
    if not value.startswith(JPEG):
        return value
    import numpy as np
    from PIL import Image

    with Image.open(io.BytesIO(value)) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    return f"JPEG {pixels.shape}\n".encode() + pixels.tobytes()
