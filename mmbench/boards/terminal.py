"""Boards as text for a terminal."""

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import compress

from tabulate import SEPARATING_LINE, tabulate

from mmbench.boards import sentences, table
from mmbench.boards import summary as summaries
from mmbench.boards.board import Board
from mmbench.boards.numbers import NONE
from mmbench.boards.table import Column, Style

WIDTH = 120
NEW_LINE = "\n["
SPEC_WIDTHS = (60, 36, 28, 24)  # that a method's spec may take, where space is short
ANSI = re.compile(r"\x1b\[\d+m")


def render(boards: Sequence[Board], colour: bool = False, width: int = WIDTH, detailed: bool = False) -> str:
    """All boards, one below the other.

    Args:
        boards: to show.
        colour: whether bold may be used.
        width: of the terminal; columns that can be spared are left out to fit.
        detailed: whether the second table is shown, too.
    """
    return "\n\n\n".join(render_board(board, colour, width, detailed) for board in boards)


def render_board(board: Board, colour: bool = False, width: int = WIDTH, detailed: bool = False) -> str:
    """One board: title, heading, table, sentences."""
    style = _style(colour)
    title = f"{board.dataset} · protocol {board.protocol}, version {board.protocol_version}"
    title += f" · {board.budget}" if board.marked else ""
    main, left_out = fitting(table.columns(board, style), width) if board.rows else ("no rows", [])
    further = table.details(board, style) if detailed else []
    parts = [
        "\n".join([_bold(title) if colour else title, "═" * len(title), *_wrapped(table.heading(board), width)]),
        main,
        *_in_parts(further[:1], further[1:], width),  # each with the methods
        "\n".join(_wrapped([*_spared(left_out), *sentences.about(board, style, detailed)], width)),
    ]
    return "\n\n".join(parts)


def render_summary(boards: Sequence[Board], colour: bool = False, width: int = WIDTH) -> str:
    """Methods by datasets, one table a protocol, in parts where it is too wide."""
    return "\n\n\n".join(_summary(found, colour, width) for found in summaries.summary(boards))


def _summary(found: summaries.Summary, colour: bool, width: int) -> str:
    style = _style(colour)
    title = f"summary · protocol {found.protocol}"
    title += f" · train split {found.training_data}" if found.training_data else ""
    title += f" · {found.budget}" if found.marked else ""
    lines = summaries.lines(found, style)
    left = [Column(name, tuple(line[at] for line in lines), "left") for at, name in enumerate(("method", "role"))]
    datasets = [
        Column(
            f"{board.dataset.replace('[', NEW_LINE)}\n{table.titled(board.score)}", tuple(line[at] for line in lines)
        )
        for at, board in enumerate(found.boards, start=2)
    ]
    parts = _in_parts(left, datasets, width)
    below = "\n".join(_wrapped(summaries.sentences(found, style), width))
    return "\n\n".join([f"{_bold(title) if colour else title}\n{'═' * len(title)}", *parts, below])


def _in_parts(left: Sequence[Column], others: Sequence[Column], width: int) -> list[str]:
    """As many tables as columns need, each with the left ones."""
    parts = []
    while others:
        shown = len(others)
        while shown > 1 and _width(_part(left, others[:shown])) > width:
            shown -= 1
        parts.append(_part(left, others[:shown]))
        others = others[shown:]
    return parts


def _part(left: Sequence[Column], others: Sequence[Column]) -> str:
    """Some columns, without the rows that none of them has a value for."""
    told = [any(cell != NONE for cell in cells) for cells in zip(*(column.cells for column in others), strict=True)]
    return _grid([replace(column, cells=tuple(compress(column.cells, told))) for column in (*left, *others)])


def _style(colour: bool) -> Style:
    return Style(code=str, bold=_bold if colour else None)


def _bold(text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m"


def fitting(columns: Sequence[Column], width: int) -> tuple[str, list[Column]]:
    """The table with as many columns as fit, and with specs on as few lines as that allows; and what is left out."""
    left_out: list[Column] = []

    def without(spared: Sequence[Column]) -> str:
        return _as_narrow([column for column in columns if column not in spared], width)

    by_need = sorted(range(len(columns)), key=lambda at: (-columns[at].dispensable, -at))
    for column in (columns[at] for at in by_need):  # of several, the last goes first
        if not column.dispensable or _width(without(left_out)) <= width:
            break
        left_out.append(column)
    for column in reversed(left_out):  # a wide one that had to go may have made room for one that went before it
        others = [other for other in left_out if other is not column]
        if _width(without(others)) <= width:
            left_out = others
    return without(left_out), [column for column in columns if column in left_out]


def _as_narrow(columns: Sequence[Column], width: int) -> str:
    """With specs on as few lines as let the table fit; on as many as there may be, if none does."""
    for longest in SPEC_WIDTHS:
        text = _grid([_narrow(column, longest) for column in columns])
        if _width(text) <= width:
            break
    return text


def _spared(columns: Sequence[Column]) -> list[str]:
    """What a reader should know of columns that are not shown."""
    names = ", ".join(" ".join(column.heading.split()) for column in columns)
    return [f"No room for: {names}. A wider terminal has them, and --markdown FOLDER."] if names else []


def _narrow(column: Column, longest: int) -> Column:
    """Methods' specs broken after a bracket or a separator."""
    if column.heading != "method":
        return column
    cells = []
    for cell in column.cells:
        lines = [""]
        for part in re.findall(r"[^\[(,+:]+[\[(,+:]?", cell):
            if lines[-1].strip() and len(lines[-1]) + len(part) > longest:
                lines.append("  ")
            lines[-1] += part
        cells.append("\n".join(lines))
    return replace(column, cells=tuple(cells))


def _grid(columns: Sequence[Column]) -> str:
    """Headings are the first row: tabulate makes columns wider than its own headings."""
    rows = [list(cells) for cells in zip(*(column.cells for column in columns), strict=True)]
    return tabulate(
        [[column.heading for column in columns], SEPARATING_LINE, *rows],
        tablefmt="simple",
        disable_numparse=True,
        colalign=[column.align for column in columns],
    )


def _width(text: str) -> int:
    return max(len(ANSI.sub("", line)) for line in text.splitlines())


def _wrapped(lines: Iterable[str], width: int) -> list[str]:
    return [
        part
        for line in lines
        for part in textwrap.wrap(line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    ]
