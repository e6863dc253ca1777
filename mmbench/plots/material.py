"""What a picture is made from, and what all kinds of pictures say alike."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any, cast

from mmbench.boards.board import Board, BoardRow
from mmbench.boards.measured import OfMeasure
from mmbench.plots.choice import MOST, Chosen, NothingToDrawError, choose
from mmbench.plots.paper import Look, looks
from mmbench.registry import installed
from mmbench.results.measurements import Measurement
from mmbench.results.schema import Plain

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ONE = "one seed"

Table = Mapping[str, Sequence[bool | int | float | str | None]]


@dataclass(frozen=True)
class Material:
    """One board, and what the user wants of it.

    Attributes:
        board: rows with what was measured of them.
        wanted: methods; none to have them chosen.
    """

    board: Board
    wanted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Picture:
    """A figure, and what its file is called after the dataset's name."""

    name: str
    figure: "Figure"


@dataclass(frozen=True)
class Spread:
    """A mean over seeds, and the standard deviation, which is zero for one seed."""

    mean: float
    deviation: float
    seeds: int

    @staticmethod
    def of(values: Sequence[float]) -> "Spread":
        return Spread(fmean(values), stdev(values) if len(values) > 1 else 0.0, len(values))


@dataclass(frozen=True)
class Found:
    """One table of a measure, over the rows that a picture shows.

    Attributes:
        measure: that found it.
        chosen: the rows.
        tables: by row id, then by seed.
    """

    measure: OfMeasure
    chosen: Chosen
    tables: Mapping[str, Mapping[int, Table]]

    @property
    def looks(self) -> list[tuple[BoardRow, Look]]:
        """Each row with its look."""
        return list(zip(self.chosen.rows, looks(len(self.chosen.rows)), strict=True))

    @property
    def seeds(self) -> str:
        """``one seed``, ``2 to 5 seeds``: of the rows that are shown."""
        return seeds_text(len(self.tables[row.id]) for row in self.chosen.rows)

    @property
    def several(self) -> bool:
        """Whether some row has more than one seed."""
        return any(len(self.tables[row.id]) > 1 for row in self.chosen.rows)

    def notes(self, row: BoardRow, name: str) -> list[Plain]:
        """What was noted of each seed of a row."""
        entries = self.measure.entries[row.id]
        return [entries[seed].notes.get(name) for seed in self.tables[row.id]]

    @property
    def rows_note(self) -> str:
        """``Measured on 1,000 test rows.``; empty if that is not noted."""
        counts = {n for row in self.chosen.rows for n in self.notes(row, "rows") if isinstance(n, int)}
        if not counts:
            return ""
        least, most = min(counts), max(counts)
        return f"Measured on {f'{least:,}' if least == most else f'{least:,} to {most:,}'} test rows."


def find(material: Material, measure: str, table: str, most: int = MOST) -> Found:
    """The tables of a measure, of the rows that are to be shown.

    Args:
        material: the board.
        measure, table: their names.
        most: rows, unless some are wanted.

    Raises:
        NothingToDrawError: if there are none, with the reason.
    """
    found = material.board.measures.get(measure)
    if found is None:
        raise NothingToDrawError(_why_not_measured(material.board, measure))
    tables = {
        row: {seed: read for seed, entry in sorted(entries.items()) if (read := table_of(entry, table))}
        for row, entries in found.entries.items()
    }
    tables = {row: by_seed for row, by_seed in tables.items() if by_seed}
    if not tables:
        raise NothingToDrawError(next(iter(found.reasons()), f"the measure {measure} has given no table {table!r}"))
    return Found(found, choose(material.board, material.wanted, tables, most=most), tables)


def _why_not_measured(board: Board, measure: str) -> str:
    card = installed().measures.get(measure)
    if card is not None and board.task.kind not in card.tasks:
        return f"the measure {measure} is for {', '.join(card.tasks)}, and this is {board.task.kind}"
    if board.budget.trials:
        return "rows of a search are not measured; give the best parameters to `mmbench run`"
    return f"nothing was measured; run `mmbench run … --measures {measure}`"


def table_of(entry: Measurement, name: str) -> Table:
    """A table of a measurement; empty if it has none of the name."""
    return cast(Table, entry.tables.get(name, {}))


def seeds_text(counts: Iterable[int]) -> str:
    """``one seed``, ``3 seeds``, ``1 to 3 seeds``."""
    least, most = min(known := list(counts)), max(known)
    if most == 1:
        return ONE
    return f"{most} seeds" if least == most else f"{least} to {most} seeds"


def over(seeds: str) -> str:
    """``mean over 3 seeds``, ``one seed``."""
    return seeds if seeds == ONE else f"mean over {seeds}"


def about(board: Board, *parts: str) -> str:
    """The line below a title."""
    tuned = (str(board.budget),) if board.budget.trials else ()
    changed = (f"train split {board.training_data}",) if board.training_data else ()
    return " · ".join([f"protocol {board.protocol}", *changed, *tuned, *filter(None, parts)])


def metric(board: Board, *, upright: bool = False) -> str:
    """Of a vertical axis: ``accuracy (↑ better)``, with the unit where it has one; upright, of a horizontal one."""
    unit = f", {board.score.unit}" if board.score.unit else ""
    arrow = ("→" if board.score.higher_is_better else "←") if upright else board.score.arrow
    return f"{board.score.title}{unit} ({arrow} better)"


def references(
    axes: Sequence["Axes"], board: Board, *, ceiling: str = "", chance: str = "chance", upright: bool = False
) -> list["Artist"]:
    """Thin lines of chance and of the ceiling, where they are known, in all panels; handles for the legend.

    Args:
        axes: panels.
        board: that states them.
        ceiling, chance: what their labels say; without a label there is no line.
        upright: whether the metric is on the horizontal axis.
    """
    from matplotlib.lines import Line2D

    handles: list[Artist] = []
    lines: tuple[tuple[str, float | None, Any], ...] = (
        (chance, board.chance, ":"),
        (ceiling, board.ceiling, (0, (8, 3))),
    )
    for label, value, dashes in lines:
        if value is None or not label:
            continue
        for panel in axes:
            draw = panel.axvline if upright else panel.axhline
            draw(value, color="black", linewidth=0.9, linestyle=dashes, label=label, zorder=1)
        handles.append(Line2D([], [], color="black", linewidth=0.9, linestyle=dashes, label=f"{label} {value:.3g}"))
    return handles


def title(board: Board, idea: str) -> str:
    """``pid-redundant: accuracy under corruption``."""
    return f"{board.dataset}: {idea}"
