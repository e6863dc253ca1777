"""Boards as Markdown pages: the same files give the same bytes."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from tabulate import tabulate

from mmbench.boards import sentences, table
from mmbench.boards import summary as summaries
from mmbench.boards.board import Board
from mmbench.boards.budget import Budget
from mmbench.boards.table import Style
from mmbench.core.errors import MmbenchError
from mmbench.results import store

READING = """## Reading

- A page a dataset: intervals, ranks, and what was measured of each method; sentences below its tables say what
  columns mean. `mmbench list measures` and `docs/measures` in mmbench's repository define the measures.
- `mmbench run --protocol PROTOCOL -m METHOD -d DATASET` makes a row again, with the names that stand in its table.
- Core source is the hash of those files of mmbench that scores depend on."""


def write_markdown(boards: Sequence[Board], folder: Path) -> list[Path]:
    """``<folder>/<protocol>/<dataset>.md`` for every board, and ``<folder>/README.md`` that sums them up.

    Raises:
        MmbenchError: if two boards are of one dataset under one protocol, and so would share a page.
    """
    shown: dict[Path, list[Board]] = {}
    for board in boards:
        of_page = shown.setdefault(folder / board.protocol / f"{board.slug}.md", [])
        if of_page and of_page[0].out != board.out:
            raise MmbenchError(
                f"{of_page[0].out} and {board.out} both hold {board.protocol}/{board.dataset}; give one of them"
            )
        of_page.append(board)
    pages = {path: render_page(of_page) for path, of_page in shown.items()}
    pages[folder / "README.md"] = render_summary(boards)
    for path, text in pages.items():
        store.write_whole(path, text.encode())
    return list(pages)


def render_page(boards: Sequence[Board]) -> str:
    """The page of a dataset under a protocol: its boards, one for each budget."""
    first = boards[0]
    lines = [f"# {first.dataset}", f"Protocol {STYLE.code(first.protocol)}, version {first.protocol_version}."]
    for board in boards:
        lines += [f"## {_heading(board.budget)}"] if board.marked else []
        lines += _board(board)
    return "\n\n".join(lines) + "\n"


def render_board(board: Board) -> str:
    """One board's page."""
    return render_page([board])


def _heading(budget: Budget) -> str:
    return "Default hyper-parameters" if not budget.trials else f"Tuned: {budget.words}"


def _board(board: Board) -> list[str]:
    """Heading, table and sentences."""
    return [
        "\n".join(f"- **{name}**: {value}" for name, _, value in (h.partition(": ") for h in table.heading(board))),
        _of_columns(table.columns(board, STYLE)),
        *(["### Further scores and cost", _of_columns(further)] if (further := table.details(board, STYLE)) else []),
        "\n".join(f"- {_plain(sentence)}" for sentence in sentences.about(board, STYLE)),
    ]


def _of_columns(columns: Sequence[table.Column]) -> str:
    return _table(
        [column.heading for column in columns],
        [list(cells) for cells in zip(*(column.cells for column in columns), strict=True)],
        [column.align for column in columns],
    )


def render_summary(boards: Sequence[Board]) -> str:
    """The front page: a table a protocol, each dataset linked to its own page."""
    parts = ["# Leaderboards"]
    for found in summaries.summary(boards):
        links = (f"[{board.dataset}]({quote(f'{board.protocol}/{board.slug}.md')})" for board in found.boards)
        metrics = (table.titled(board.score) for board in found.boards)
        heads = [f"{link}<br>{metric}" for link, metric in zip(links, metrics, strict=True)]
        align = ["left", "left", *["right"] * len(heads)]
        parts += [
            f"## Protocol {STYLE.code(found.protocol)}"
            + (f", train split {found.training_data}" if found.training_data else "")
            + (f", {found.budget}" if found.marked else ""),
            _table(["method", "role", *heads], summaries.lines(found, STYLE), align),
            "\n".join(f"- {_plain(sentence)}" for sentence in summaries.sentences(found, STYLE)),
        ]
    parts.append(READING if boards else "There are no results yet.")
    return "\n\n".join(parts) + "\n"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], align: Sequence[str]) -> str:
    return tabulate(
        [[cell.replace("|", "\\|") for cell in row] for row in rows],
        headers=list(headings),
        tablefmt="pipe",
        disable_numparse=True,
        colalign=list(align),
    )


def _plain(sentence: str) -> str:
    """A sentence whose asterisk is no mark-up."""
    return sentence.replace("*", "\\*")


STYLE = Style(code=lambda text: f"`{text}`", bold=lambda text: f"**{text}**", roomy=True)
