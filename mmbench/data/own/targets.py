"""Targets, groups and ids: from the columns of a table to the numbers that are stored."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmbench.core.errors import did_you_mean
from mmbench.core.task import BERNOULLI
from mmbench.data.own.card import OwnCard
from mmbench.data.own.cells import CellError
from mmbench.data.own.tables import Table

Array = NDArray[Any]
TRUTH = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}


def targets(card: OwnCard, table: Table) -> Array:
    """(N,) int64 classes, or (N,K) float32.

    Raises:
        MmbenchError: for a target that is missing, no number, no class or out of range.
    """
    if card.kind == "classification":
        return _classes(card, table)
    name = card.target[0]
    if len(card.target) == 1 and card.classes and table.columns[name].holds == "words":
        return _label_names(card, table, name)
    columns = [_numbers(card, table, name) for name in card.target]
    found = np.concatenate(columns, axis=1)
    if found.shape[1] != card.outputs:
        table.refuse(name, None, f"has {found.shape[1]} numbers a row, and the task has {card.outputs} outputs")
    if card.kind in BERNOULLI:
        wrong = np.argwhere(~np.isin(found, (0, 1)))
        if len(wrong):
            row, output = wrong[0]
            column = card.target[output] if len(card.target) > 1 else name
            table.refuse(column, int(row), f"target is {found[row, output]:g}, neither 0 nor 1 ({_count(wrong)})")
    return found.astype(np.float32)


def codes(columns: list[list[str]]) -> list[NDArray[np.int64]]:
    """Text as whole numbers, the same for the same text in all of the columns."""
    known = {text: code for code, text in enumerate(sorted({text for column in columns for text in column}))}
    return [np.array([known[text] for text in column], dtype=np.int64) for column in columns]


def texts(table: Table, name: str, what: str) -> list[str]:
    """A column of which no cell may be empty."""
    try:
        cells = table.columns[name].texts()
    except CellError as error:
        table.refuse(name, error.row, error.what)
    found = [cell.strip() for cell in cells if cell is not None]
    if len(found) < len(cells):
        empty = len(cells) - len(found)
        table.refuse(name, cells.index(None), f"{what} is missing (in {empty} of {len(cells)} rows)")
    return found


def _classes(card: OwnCard, table: Table) -> NDArray[np.int64]:
    name = card.target[0]
    column = table.columns[name]
    by_name = card.classes and not (column.whole_numbers and not all(_whole(word) for word in card.classes))
    if not by_name:
        return _class_numbers(card, table, name)
    known = {word: code for code, word in enumerate(card.classes)}
    cells = texts(table, name, "target")
    wrong = [row for row, cell in enumerate(cells) if cell not in known]
    if wrong:
        cell = cells[wrong[0]]
        count = f"{len(wrong)} of {len(cells)} rows"
        table.refuse(name, wrong[0], f"target {cell!r} is no class; {did_you_mean(cell, known)} (wrong in {count})")
    return np.array([known[cell] for cell in cells], dtype=np.int64)


def _class_numbers(card: OwnCard, table: Table, name: str) -> NDArray[np.int64]:
    found = _numbers(card, table, name)
    if found.shape[1] != 1:
        table.refuse(name, None, f"has {found.shape[1]} numbers a row, and a class is one")
    wrong = np.flatnonzero((found[:, 0] != np.round(found[:, 0])) | (found[:, 0] < 0) | (found[:, 0] >= card.outputs))
    if len(wrong):
        value = found[wrong[0], 0]
        table.refuse(
            name, int(wrong[0]), f"target {value:g} is no class of 0 to {card.outputs - 1} (wrong in {len(wrong)} rows)"
        )
    return found[:, 0].astype(np.int64)


def _label_names(card: OwnCard, table: Table, name: str) -> Array:
    """Lists of label names as zeros and ones."""
    known = {word: code for code, word in enumerate(card.classes)}
    cells = table.columns[name].words()
    found = np.zeros((len(cells), len(known)), dtype=np.float32)
    for row, cell in enumerate(cells):  # an empty list is a sample without any label
        for word in cell or []:
            if word not in known:
                table.refuse(name, row, f"target {word!r} is no label; {did_you_mean(word, known)}")
            found[row, known[word]] = 1.0
    return found


def _numbers(card: OwnCard, table: Table, name: str) -> NDArray[np.float64]:
    """(N,width) of a target column, all finite."""
    column = table.columns[name]
    try:
        if column.holds == "text" and not card.classes:
            cells = [_truth(cell, row) for row, cell in enumerate(column.texts())]
        else:
            cells = column.numbers()
    except CellError as error:
        hint = "; name the classes in [task]: classes = […]" if card.kind == "classification" else ""
        table.refuse(name, error.row, f"target {error.what}{hint}")
    missing = [row for row, cell in enumerate(cells) if cell is None]
    if missing:
        table.refuse(name, missing[0], f"target is missing (in {len(missing)} of {len(cells)} rows)")
    rows = [np.atleast_1d(cell) for cell in cells if cell is not None]
    for row, cell in enumerate(rows):
        if cell.shape != rows[0].shape or cell.ndim > 1:
            table.refuse(name, row, f"target has shape {cell.shape}, and the first row's has {rows[0].shape}")
        if not np.isfinite(cell).all():
            table.refuse(name, row, "target is NaN or infinite")
    return np.stack(rows).astype(np.float64) if rows else np.zeros((0, 1))


def _truth(cell: str | None, row: int) -> Array | None:
    if cell is None:
        return None
    word = cell.strip().lower()
    try:
        return np.asarray(TRUTH[word] if word in TRUTH else float(word))
    except ValueError:
        raise CellError(row, f"{cell!r} is no number") from None


def _whole(word: str) -> bool:
    return word.strip().removeprefix("-").isdecimal()


def _count(wrong: Array) -> str:
    rows = len(np.unique(wrong[:, 0]))
    return f"wrong in {rows} row{'s' * (rows != 1)}"
