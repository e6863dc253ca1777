"""Tables: Parquet, CSV and npz files, one or several side by side, as columns by name."""

import csv
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mmbench.core.errors import MmbenchError, did_you_mean
from mmbench.data.own.cells import ArrayColumn, ArrowColumn, Column, TextColumn
from mmbench.data.own.inside import inside


@dataclass(frozen=True)
class Table:
    """The columns that the card names.

    Attributes:
        name: for messages.
        columns: all of ``rows`` cells.
    """

    name: str
    columns: Mapping[str, Column]
    rows: int

    def refuse(self, column: str, row: int | None, what: str) -> NoReturn:
        """Raise an error about a cell, or about a column as a whole."""
        place = f"{self.name}, column {column!r}" + ("" if row is None else f", row {row}")
        raise MmbenchError(f"{place}: {what}")


def read_table(folder: Path, files: Sequence[str], wanted: Iterable[str]) -> Table:
    """Read files that stand side by side: row k of each is the same sample.

    Raises:
        MmbenchError: for a file that is missing or unreadable, other rows than its neighbour's, or
            a column that is in none or in two of them.
    """
    known: list[str] = []
    columns: dict[str, Column] = {}
    owner: dict[str, str] = {}
    wanted = list(wanted)
    for file in files:
        names, found = _read(inside(folder, file, f"table {file!r}"), set(wanted))
        known += names
        for name, column in found.items():
            if name in columns:
                raise MmbenchError(f"column {name!r} is in {owner[name]} and in {file}; rename one of them")
            columns[name], owner[name] = column, file
    return checked(" + ".join(files), columns, known, wanted, owner)


def checked(
    name: str, columns: Mapping[str, Column], known: Sequence[str], wanted: Iterable[str], owner: Mapping[str, str]
) -> Table:
    """A table whose columns are all there and of the same rows.

    Args:
        name: of the table.
        columns: that were found.
        known: all columns that there are.
        wanted: those that have to be there.
        owner: {column: its file}.
    """
    for column in wanted:
        if column not in columns:
            raise MmbenchError(f"{name}: there is no column {column!r}; {did_you_mean(column, known)}")
    first, *others = columns
    for other in others:
        if len(columns[other]) != len(columns[first]):
            raise MmbenchError(
                f"{name}: {owner.get(first, name)} has {len(columns[first])} rows in column {first!r}, and "
                f"{owner.get(other, name)} has {len(columns[other])} in {other!r}; row k of each has to be one sample"
            )
    return Table(name, columns, len(columns[first]))


Found = tuple[list[str], dict[str, Column]]


def _read(path: Path, wanted: set[str]) -> Found:
    readers: dict[str, Callable[[Path, set[str]], Found]] = {".csv": _csv, ".npz": _npz, ".parquet": _parquet}
    suffix = path.suffix.lower()
    if suffix not in readers:
        raise MmbenchError(f"{path}: a table is a file {', '.join(readers)}, not {suffix or 'one without an ending'}")
    try:
        names, columns = readers[suffix](path, wanted)
    except (OSError, ValueError, EOFError, csv.Error, zipfile.BadZipFile, pa.ArrowException) as error:
        raise MmbenchError(f"{path} cannot be read as {suffix}: {error}") from None
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise MmbenchError(f"{path} has two columns {double!r}")
    return names, columns


def _csv(path: Path, wanted: set[str]) -> Found:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file, strict=True)
        names = next(rows, [])
        cells: dict[str, list[str]] = {name: [] for name in names if name in wanted}
        places = [(cells[name], place) for place, name in enumerate(names) if name in wanted]
        for row in rows:
            if not row:
                continue  # an empty line
            if len(row) != len(names):
                raise ValueError(f"line {rows.line_num} has {len(row)} cells, and the header has {len(names)}")
            for column, place in places:
                column.append(row[place])
    return names, {name: TextColumn(column) for name, column in cells.items()}


def _npz(path: Path, wanted: set[str]) -> Found:
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files if name in wanted}
        names = list(file.files)
    single = next((name for name, array in arrays.items() if array.ndim == 0), None)
    if single is not None:
        raise ValueError(f"array {single!r} is a single number and has no rows")
    return names, {name: ArrayColumn(array) for name, array in arrays.items()}


def _parquet(path: Path, wanted: set[str]) -> Found:
    file = pq.ParquetFile(path)
    names = list(file.schema_arrow.names)
    table = file.read(columns=[name for name in names if name in wanted])
    return names, {name: ArrowColumn(table.column(name)) for name in table.column_names}
