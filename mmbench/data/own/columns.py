"""A modality's cells: from the columns of a table to one array a sample, None where the modality is absent."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmbench.core.errors import MmbenchError
from mmbench.data.own.cells import CellError
from mmbench.data.own.decode import UndecodableError, image, log_mel, wav
from mmbench.data.own.modality import OwnModality
from mmbench.data.own.tables import Table
from mmbench.data.own.words import split_words

Array = NDArray[Any]
Cells = list[Array | None]
Words = list[list[str] | None]
Open = Callable[[str, str], bytes]  # (path, what for) -> content
PIXELS = (1, 3, 4)  # channels that images have


class Reader:
    """Reads one modality from the tables of a dataset.

    Args:
        modality: what the card says of it.
        opened: opens a file that a cell names.
    """

    def __init__(self, modality: OwnModality, opened: Open) -> None:
        self.modality = modality
        self.opened = opened
        self.sample_rate = modality.sound.sample_rate  # of the first sound, where the card has none
        self.has_words = False

    def read(self, table: Table) -> Cells | Words:
        """The cells of all rows: arrays of a sample's shape (of lists of words, for text).

        Raises:
            MmbenchError: with the table, the column, the row and what is wrong.
        """
        modality = self.modality
        if modality.file:
            return self._decoded(table, modality.file)
        if len(modality.columns) > 1:
            return self._side_by_side(table)
        name = modality.columns[0]
        column = table.columns[name]
        if column.holds == "files" and modality.kind != "tokens":
            return self._decoded(table, name)
        if modality.kind == "tokens" and column.holds in ("text", "words"):
            self.has_words = True
            if modality.lengths:
                table.refuse(name, None, "is text, which has its own length; remove lengths")
            if column.holds == "words":
                return [cell and [word.lower() for word in cell] for cell in column.words()]
            return [None if text is None else split_words(text) for text in column.texts()]
        if column.holds == "text" and modality.kind in ("image", "spectrogram"):
            table.refuse(name, None, f"holds text; write file = {name!r} if these are paths")
        return self._cut(table, [self._array(table, name, row, cell) for row, cell in enumerate(_numbers(table, name))])

    def _decoded(self, table: Table, name: str) -> Cells:
        try:
            files = table.columns[name].files()
        except CellError as error:
            table.refuse(name, error.row, error.what)
        if self.modality.kind == "vector":
            table.refuse(name, None, "holds files, and a vector is numbers")
        return [None if file is None else self._decode(table, name, row, file) for row, file in enumerate(files)]

    def _decode(self, table: Table, name: str, row: int, file: bytes | str) -> Array:
        where = f"{table.name}, column {name!r}, row {row}"
        shown = f"{file} " if isinstance(file, str) else "it "
        content = self.opened(file, where) if isinstance(file, str) else file
        try:
            if self.modality.kind == "image":
                return image(content, self.modality.channels, self.modality.size)
            rate, samples = wav(content)
            self.sample_rate = self.sample_rate or rate
            if rate != self.sample_rate:
                raise UndecodableError(f"has {rate} samples a second, and not {self.sample_rate}; resample it")
            mels = log_mel(samples, rate, self.modality.sound)
        except UndecodableError as error:
            table.refuse(name, row, shown + str(error))
        return mels if self.modality.kind == "sequence" else np.ascontiguousarray(mels.T[None])

    def _side_by_side(self, table: Table) -> Cells:
        """A vector of several columns; absent where all are empty."""
        columns = [_numbers(table, name) for name in self.modality.columns]
        cells: Cells = []
        for row, parts in enumerate(zip(*columns, strict=True)):
            empty = [name for name, part in zip(self.modality.columns, parts, strict=True) if part is None]
            if len(empty) == len(parts):
                cells.append(None)
                continue
            if empty:
                table.refuse(empty[0], row, f"is empty, and other columns of {self.modality.name!r} are not")
            for name, part in zip(self.modality.columns, parts, strict=True):
                if part is not None and part.ndim:
                    table.refuse(name, row, f"holds an array of shape {part.shape}, not one number")
            vector = np.array([part for part in parts if part is not None])
            cells.append(self._array(table, self.modality.columns[0], row, vector))
        return cells

    def _array(self, table: Table, name: str, row: int, cell: Array | None) -> Array | None:
        """Numbers of a sample with all its axes, in the type that is stored."""
        if cell is None:
            return None
        kind = self.modality.kind
        if kind in ("vector", "tokens") and cell.ndim == 0:
            cell = cell[None]
        if kind in ("image", "spectrogram") and cell.ndim == 2:
            cell = cell[None]
        if kind == "sequence" and cell.ndim == 1:
            cell = cell[:, None]
        ranks = {"vector": (1,), "tokens": (1,), "sequence": (2, 4)}.get(kind, (3,))
        if cell.ndim not in ranks:
            table.refuse(name, row, f"has shape {cell.shape}, which is no {kind}")
        if kind == "image" and cell.shape[-1] in PIXELS and cell.shape[0] not in PIXELS:
            table.refuse(name, row, f"has shape {cell.shape}; channels come first: (C,H,W)")
        if kind == "tokens":
            return self._ids(table, name, row, cell)
        if kind in ("image", "spectrogram") and cell.dtype == np.uint8:
            return cell
        with np.errstate(over="ignore"):
            return cell.astype(np.float32)

    def _ids(self, table: Table, name: str, row: int, cell: Array) -> Array | None:
        """Token ids, without the padding at the end where no column has the lengths; None if nothing else is there."""
        ids = cell.astype(np.int64)
        if not (ids == cell).all() or ids.min() < 0 or ids.max() >= self.modality.vocabulary:
            table.refuse(name, row, f"has token ids that are not in 0 to {self.modality.vocabulary - 1}")
        if self.modality.lengths:
            return ids
        some = np.flatnonzero(ids)
        return ids[: some[-1] + 1] if len(some) else None

    def _cut(self, table: Table, cells: Cells) -> Cells:
        """Cells cut to the lengths that another column gives; a length of 0 is an absent modality.

        Not-a-number is refused here: what lies beyond the length does not count.
        """
        if self.modality.lengths:
            lengths = _numbers(table, self.modality.lengths)
            for row, (cell, length) in enumerate(zip(cells, lengths, strict=True)):
                if cell is None:
                    continue
                if length is None or length.ndim or not 0 <= length <= len(cell) or int(length) != length:
                    said = "empty" if length is None else length
                    table.refuse(self.modality.lengths, row, f"is {said}, not a length from 0 to {len(cell)}")
                cells[row] = cell[: int(length)] if length else None
        return cells


def present_cells(cells: Sequence[object]) -> NDArray[np.bool_]:
    """(N,) which cells there are."""
    return np.array([cell is not None for cell in cells], dtype=bool)


def word_ids(cells: Words, vocabulary: dict[str, int]) -> Cells:
    """Words as ids; a text without any word is one unknown word."""
    return [None if words is None else np.array([vocabulary.get(word, 1) for word in words or [""]]) for words in cells]


def common_shape(modality: OwnModality, tables: Sequence[Table], cells: Sequence[Cells]) -> tuple[int, ...]:
    """The shape of every sample: the card's, or that of the first sample; of timed kinds with the longest length.

    Raises:
        MmbenchError: for the first sample of another shape.
    """
    skip = 1 if modality.timed else 0
    wanted: tuple[int, ...] | None = modality.shape[skip:] if modality.shape else None
    said = "the card says" if modality.shape else "the first sample has"
    longest = 1
    for table, column in zip(tables, cells, strict=True):
        for row, cell in enumerate(column):
            if cell is None:
                continue
            wanted = cell.shape[skip:] if wanted is None else wanted
            if cell.shape[skip:] != wanted or 0 in cell.shape:
                hint = "; set size" if modality.kind == "image" and not modality.size else ""
                hint = "; set seconds" if modality.file and modality.kind == "spectrogram" else hint
                frame = " in each frame" if skip else ""
                name = modality.read[0]
                table.refuse(name, row, f"has shape {cell.shape[skip:]}{frame}, and {said} {wanted}{hint}")
            longest = max(longest, len(cell) if skip else 1)
    if wanted is None:
        raise MmbenchError(f"modality {modality.name!r}: every cell is empty")
    steps = modality.length or (modality.shape[0] if modality.shape else longest)
    return (steps, *wanted) if skip else wanted


def stacked(
    modality: OwnModality, table: Table, cells: Cells, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> tuple[Array, NDArray[np.int64]]:
    """All cells as (N,*shape), zero where absent or padded, and the lengths (N,) of timed kinds, 1 where absent.

    Samples that are longer than the shape lose their end.

    Raises:
        MmbenchError: for NaN and infinities.
    """
    values = np.zeros((len(cells), *shape), dtype=dtype)
    lengths = np.ones(len(cells), dtype=np.int64)
    for row, cell in enumerate(cells):
        if cell is None:
            continue
        if not np.isfinite(cell).all():
            table.refuse(
                modality.read[0],
                row,
                f"modality {modality.name!r} is NaN or infinite; an absent one is an empty cell",
            )
        if modality.timed:
            lengths[row] = min(len(cell), shape[0])
            values[row, : lengths[row]] = cell[: shape[0]]
        else:
            values[row] = cell
    return values, lengths


def stored_type(modality: OwnModality, cells: Sequence[Cells]) -> np.dtype[Any]:
    """uint8 where all samples are, int64 for tokens, float32 otherwise."""
    if modality.kind == "tokens":
        return np.dtype(np.int64)
    small = all(cell is None or cell.dtype == np.uint8 for column in cells for cell in column)
    return np.dtype(np.uint8 if small else np.float32)


def _numbers(table: Table, name: str) -> Cells:
    try:
        return table.columns[name].numbers()
    except CellError as error:
        table.refuse(name, error.row, error.what)
