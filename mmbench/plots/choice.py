"""Which rows of a board a picture shows: a readable few."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mmbench.boards.board import Board, BoardRow
from mmbench.boards.gather import CEILING
from mmbench.boards.numbers import plural
from mmbench.core.errors import MmbenchError, did_you_mean
from mmbench.plots.paper import LOOKS

MOST = len(LOOKS)
ALWAYS = "late"  # the method that others are measured against
FLOOR = "floor"


class NothingToDrawError(MmbenchError):
    """Why there is no picture: of this kind, on this board."""


@dataclass(frozen=True)
class Chosen:
    """The rows of a picture, from the best to the worst by the main metric.

    Attributes:
        rows: at most six.
        left_out: how many more there are data of.
        automatic: whether nobody has named them.
    """

    rows: tuple[BoardRow, ...]
    left_out: int = 0
    automatic: bool = True

    @property
    def note(self) -> str:
        """A sentence on what is not shown; empty if all is."""
        if not self.left_out:
            return ""
        others = "one other row is" if self.left_out == 1 else f"{self.left_out:,} others are"
        return f"Shown: the best methods, with {ALWAYS} and the best floor if they were measured; {others} left out."


def choose(
    board: Board, wanted: Sequence[str], have: Collection[str], first: Sequence[str] = (), most: int = MOST
) -> Chosen:
    """Rows of a board of which there are data.

    Unless some are wanted: late fusion, the best floor, then the best methods, then other floors.

    Args:
        board: in whose order they are.
        wanted: methods as the user names them; a name without brackets stands for all its rows.
        have: ids of the rows of which there are data.
        first: ids of rows that come before all others.
        most: rows, unless some are wanted.

    Raises:
        NothingToDrawError: if there are none, or more are wanted than a picture can show.
    """
    there = [row for row in board.rows if row.id in have]
    if wanted:
        return _wanted(board, wanted, there)
    there = [row for row in there if row.role != CEILING]
    floors = [row for row in there if row.role == FLOOR]
    late = [row for row in there if name_of(row.label) == ALWAYS]
    methods = [row for row in there if row.role != FLOOR]
    led = [row for row in there if row.id in first]
    order = list(dict.fromkeys(row.id for row in (*led, *late[:1], *floors[:1], *methods, *floors)))
    kept = set(order[:most])
    if not kept:
        raise NothingToDrawError("no method or floor has such data")
    return Chosen(tuple(row for row in there if row.id in kept), len(there) - len(kept))


def check_wanted(boards: Sequence[Board], wanted: Sequence[str]) -> None:
    """Whether every method that the user has named is a row of some board.

    Raises:
        MmbenchError: naming one that is none.
    """
    known = {name for board in boards for row in board.rows if row.ran for name in (row.label, name_of(row.label))}
    for text in wanted:
        if boards and text not in known:
            raise MmbenchError(f"there are no results of method {text!r}; {did_you_mean(text, known)}")


def name_of(label: str) -> str:
    """The method's name, without parameters and without what sets its row apart."""
    return re.split(r"[\[ ]", label, maxsplit=1)[0]


def _wanted(board: Board, wanted: Sequence[str], there: Sequence[BoardRow]) -> Chosen:
    rows = [row for row in there if row.label in wanted or name_of(row.label) in wanted]
    names = ", ".join(wanted)
    if not rows:
        raise NothingToDrawError(f"{names}: there are no such data")
    if len(rows) > MOST:
        raise NothingToDrawError(
            f"{names}: these are {plural(len(rows), 'row')}, and a picture shows at most {MOST}; name fewer"
        )
    return Chosen(tuple(rows), automatic=False)
