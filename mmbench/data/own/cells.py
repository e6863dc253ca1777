"""Columns of a table, whatever the file: the cells as text, as numbers, as files, one a row; None is an empty cell."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Array = NDArray[Any]
NUMBERS = "biuf"  # numpy's kinds


class CellError(ValueError):
    """A cell does not hold what is asked for.

    Args:
        row: counted from 0; None if it is the column as a whole.
        what: it holds.
    """

    def __init__(self, row: int | None, what: str) -> None:
        super().__init__(what)
        self.row = row
        self.what = what


class Column:
    """One column of a table."""

    def __len__(self) -> int:
        raise NotImplementedError

    @property
    def holds(self) -> str:
        """``text``, ``words`` (lists of text), ``numbers`` or ``files`` (bytes, with or without a path)."""
        raise NotImplementedError

    @property
    def whole_numbers(self) -> bool:
        """Whether its type says that its cells are single whole numbers."""
        return False

    def texts(self) -> list[str | None]:
        """Each cell as text; numbers are written out."""
        raise NotImplementedError

    def words(self) -> list[list[str] | None]:
        """Each cell as a list of text."""
        raise CellError(None, f"holds {self.holds}, not lists of text")

    def numbers(self) -> list[Array | None]:
        """Each cell as numbers of any shape.

        Raises:
            CellError: if it is none.
        """
        raise CellError(None, f"holds {self.holds}, not numbers")

    def files(self) -> list[bytes | str | None]:
        """Each cell as the content of a file, or as its path."""
        raise CellError(None, f"holds {self.holds}, not files")


class TextColumn(Column):
    """A column of a CSV file: numbers are read from text; an empty cell is one with nothing in it."""

    def __init__(self, cells: Sequence[str]) -> None:
        self.cells = [cell if cell.strip() else None for cell in cells]

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def holds(self) -> str:
        return "text"

    @property
    def whole_numbers(self) -> bool:
        return all(cell is None or cell.strip().removeprefix("-").isdecimal() for cell in self.cells)

    def texts(self) -> list[str | None]:
        return list(self.cells)

    def numbers(self) -> list[Array | None]:
        found: list[Array | None] = []
        for row, cell in enumerate(self.cells):
            try:
                found.append(None if cell is None else np.asarray(float(cell)))
            except ValueError:
                raise CellError(row, f"{cell!r} is no number") from None
        return found

    def files(self) -> list[bytes | str | None]:
        return list(self.cells)


class ArrayColumn(Column):
    """An array of an npz file (N,…); it has no empty cells."""

    def __init__(self, array: Array) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    @property
    def holds(self) -> str:
        return "numbers" if self.array.dtype.kind in NUMBERS else "text" if self.array.ndim == 1 else "words"

    @property
    def whole_numbers(self) -> bool:
        return self.array.dtype.kind in "iu" and self.array.ndim == 1

    def texts(self) -> list[str | None]:
        if self.array.ndim != 1:
            raise CellError(None, f"holds arrays of shape {self.array.shape[1:]}, not text")
        return [str(cell) or None for cell in self.array]

    def words(self) -> list[list[str] | None]:
        if self.holds != "words":
            return super().words()
        return [[str(word) for word in row if word] or None for row in self.array.reshape(len(self), -1)]

    def numbers(self) -> list[Array | None]:
        if self.holds != "numbers":
            return super().numbers()
        return [np.asarray(self.array[row]) for row in range(len(self))]

    def files(self) -> list[bytes | str | None]:
        if self.holds != "text":
            return super().files()
        return [str(cell) or None for cell in self.array]


class ArrowColumn(Column):
    """A column of a Parquet file or of a dataset of the Hub."""

    def __init__(self, chunks: pa.ChunkedArray) -> None:
        self.chunks = [_plain(chunk) for chunk in chunks.chunks]
        self.type = _plain(pa.chunked_array([], type=chunks.type).combine_chunks()).type
        self.rows = len(chunks)

    def __len__(self) -> int:
        return self.rows

    @property
    def holds(self) -> str:
        if pa.types.is_struct(self.type) or _is_binary(self.type):
            return "files"
        if _is_text(self.type) or pa.types.is_null(self.type):
            return "text"
        if _is_list(self.type) and _is_text(self.type.value_type):
            return "words"
        inner = self.type
        while _is_list(inner):
            inner = inner.value_type
        return "numbers" if _is_number(inner) else str(self.type)

    @property
    def whole_numbers(self) -> bool:
        return bool(pa.types.is_integer(self.type))

    def texts(self) -> list[str | None]:
        if self.holds not in ("text", "numbers") or _is_list(self.type):
            raise CellError(None, f"holds {self.type}, not text")
        cells = (cell for chunk in self.chunks for cell in chunk.to_pylist())
        return [None if cell is None or str(cell).strip() == "" else str(cell) for cell in cells]

    def words(self) -> list[list[str] | None]:
        if self.holds != "words":
            return super().words()
        cells = (cell for chunk in self.chunks for cell in chunk.to_pylist())
        return [[str(word) for word in cell if word] or None if cell else None for cell in cells]

    def numbers(self) -> list[Array | None]:
        if self.holds != "numbers":
            return super().numbers()
        found: list[Array | None] = []
        for chunk in self.chunks:
            found += list(_rows(chunk, len(found)))
        return found

    def files(self) -> list[bytes | str | None]:
        if self.holds == "text":
            return list(self.texts())
        if self.holds != "files":
            return super().files()
        return [_file(cell) for chunk in self.chunks for cell in chunk.to_pylist()]


def _plain(array: Any) -> Any:
    """Without the wrapping of categories and of the Hub's own types."""
    while isinstance(array.type, pa.ExtensionType):
        array = array.storage
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _file(cell: object) -> bytes | str | None:
    """Of bytes, or of the pair of bytes and path that the Hub keeps for images and sounds."""
    if isinstance(cell, dict):
        content, path = cell.get("bytes"), cell.get("path")
        return content if content is not None else path or None
    return cell if isinstance(cell, bytes) else None


def _rows(array: Any, before: int) -> Iterator[Array | None]:
    """Cells of an Arrow array of numbers or of lists of them; ``before`` rows stand before it."""
    array = _plain(array)
    if not _is_list(array.type):
        values = array.to_numpy(zero_copy_only=False)
        empty = array.is_null().to_numpy(zero_copy_only=False)
        if values.dtype == object:  # true and false with nulls among them
            values = np.array([bool(value) for value in values])
        yield from (None if none else np.asarray(value) for value, none in zip(values, empty, strict=True))
        return
    sizes = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)
    ends = np.cumsum(sizes)
    inner = _plain(array.flatten())
    if not _is_list(inner.type):
        values = inner.to_numpy(zero_copy_only=False)
        if values.dtype == object:
            values = np.array([np.nan if value is None else float(value) for value in values])
        yield from (values[end - size : end] if size else None for size, end in zip(sizes, ends, strict=True))
        return
    parts = list(_rows(inner, 0))
    for row, (size, end) in enumerate(zip(sizes, ends, strict=True)):
        frames = parts[end - size : end]
        if not size:
            yield None
            continue
        shapes = {None if frame is None else frame.shape for frame in frames}
        if len(shapes) > 1 or None in shapes:
            raise CellError(before + row, "its lists inside have different lengths, or some are empty")
        yield np.stack([frame for frame in frames if frame is not None])


def _is_list(kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_binary(kind: Any) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))
