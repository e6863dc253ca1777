"""The summary: methods by datasets, one table a protocol. Scores of different datasets are never averaged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, log2

from mmbench.boards.board import KNOWN_CEILING, Board, BoardRow
from mmbench.boards.budget import UNTUNED, Budget
from mmbench.boards.gather import CEILING
from mmbench.boards.numbers import NONE, decimals, fixed, plural
from mmbench.boards.table import Style

ORDER = {CEILING: 0, "method": 1, "floor": 2}
LEVEL = 0.05


@dataclass(frozen=True)
class SummaryRow:
    """One method.

    Attributes:
        label, role: as on its boards.
        cells: its row on each board; None where it has not run.
    """

    label: str
    role: str
    cells: tuple[BoardRow | None, ...]


@dataclass(frozen=True)
class Summary:
    """All datasets under one protocol, with the same done to their train splits and spent on hyper-parameters.

    Attributes:
        protocol: of all boards.
        boards: the columns.
        rows: ceilings, methods, floors; by name within each.
        training_data: what was done to the train splits; empty for nothing.
        budget: of the rows.
        marked: whether there are summaries of other budgets, or this one is of tuned rows.
    """

    protocol: str
    boards: tuple[Board, ...]
    rows: tuple[SummaryRow, ...]
    training_data: str = ""
    budget: Budget = UNTUNED
    marked: bool = False


def summary(boards: Sequence[Board]) -> list[Summary]:
    """One summary a protocol, and one more for each thing that was done to train splits, and each budget."""
    found = []
    for kind in sorted({_kind(board) for board in boards}):
        protocol, changed, budget = kind
        chosen = tuple(board for board in boards if _kind(board) == kind)
        roles = {(row.label, row.role) for board in chosen for row in board.rows}
        rows = (SummaryRow(label, role, tuple(_find(board, label, role) for board in chosen)) for label, role in roles)
        order = sorted(rows, key=lambda row: (ORDER.get(row.role, 1), row.label))
        marked = any(board.marked for board in chosen)
        found.append(Summary(protocol, chosen, tuple(order), changed, budget, marked))
    return found


def _kind(board: Board) -> tuple[str, str, Budget]:
    return board.protocol, board.training_data, board.budget


def _find(board: Board, label: str, role: str) -> BoardRow | None:
    return next((row for row in board.rows if (row.label, row.role) == (label, role)), None)


def lines(found: Summary, style: Style) -> list[list[str]]:
    """Cells of the table: method, role, then a cell a dataset."""
    table = []
    for row in found.rows:
        cells = (_cell(board, cell, style) for board, cell in zip(found.boards, row.cells, strict=True))
        label = row.label if row.label == KNOWN_CEILING else style.code(row.label)
        table.append([label, "" if row.role == "method" else row.role, *cells])
    return table


def _cell(board: Board, row: BoardRow | None, style: Style) -> str:
    if row is None:
        return NONE
    main = row.scores.get(board.score.name)
    if main is None:
        return NONE if row.seeds else "failed"
    means = [row.scores[board.score.name].mean for row in board.rows if board.score.name in row.scores]
    text = fixed(main.mean, decimals(board.score, means))
    return style.bold(text) if row.leading and style.bold else text


def sentences(found: Summary, style: Style) -> Iterator[str]:
    """What the marks mean, and what can be said across datasets."""
    bold = "Bold: not significantly below the best of its column, ceilings apart. " if style.bold else ""
    yield f"Means over seeds of each dataset's main metric. {bold}{NONE}: has not run."
    missing = [board.dataset for board in found.boards if board.bootstrap is None]
    if missing:
        command = style.code("mmbench results analyse FOLDER")
        yield f"Without intervals ({', '.join(missing)}): run {command}."
    yield across_datasets(found)


def across_datasets(found: Summary) -> str:
    """Whether a difference between methods over datasets could be tested at all.

    The least two-sided p of a signed-rank test on N datasets is 2^(1-N); Holm's first step multiplies
    it by the number of pairs (Demšar 2006).
    """
    datasets = len(found.boards)
    everywhere = [row for row in found.rows if row.role != CEILING and all(_ran(row))]
    if len(everywhere) < 2:
        return f"Across datasets: not testable, since fewer than two methods ran on all {datasets}."
    pairs = len(everywhere) * (len(everywhere) - 1) // 2
    needed = ceil(1 + log2(pairs / LEVEL))
    shared = f"{len(everywhere)} methods ran on {'all of them' if datasets > 1 else 'it'}"
    if datasets < needed:
        return (
            f"Across datasets: not testable. Of {plural(datasets, 'dataset')}, where {shared}, no test could tell two "
            f"methods apart; {needed} are needed."
        )
    return f"Across datasets: {plural(datasets, 'dataset')}, where {shared}; no test is made here."


def _ran(row: SummaryRow) -> Iterator[bool]:
    return (cell is not None and cell.seeds > 0 for cell in row.cells)
