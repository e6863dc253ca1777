"""Scores without some modalities: of every subset, or by how many are left."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from mmbench.boards.board import BoardRow
from mmbench.plots.material import Found, Material, Picture, Spread, about, find, metric, over, references, title
from mmbench.plots.paper import DASHES, LINE, finish, panels

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

EACH = 3  # modalities up to which every subset has a line of its own
JOIN = "+"  # between the modalities of a subset
KEPT = "modalities that are left"

Subsets = Mapping[str, float]  # the metric by the modalities that are left
Summary = Callable[[Sequence[float]], float]


def missing(material: Material) -> list[Picture]:
    """Of two or three modalities a line for each subset; of more, the mean and the worst by the number left.

    Raises:
        NothingToDrawError: if there are no such scores.
    """
    board, found = material.board, find(material, "missing", "subsets")
    values = {row.id: [*_subsets(found, row)] for row in found.chosen.rows}
    few = len(board.task.modalities) <= EACH
    if few:
        names = list(dict.fromkeys(name for of_row in values.values() for seed in of_row for name in seed))
        figure, axes = panels(1, height=0.8 + 2.6 * LINE * len(names))
        _each(axes[0], found, values, names)
        axes[0].set(xlabel=metric(board, upright=True), ylabel=KEPT)
    else:
        figure, axes = panels(1, height=4.0)
        _by_size(axes[0], found, values, max if not board.score.higher_is_better else min)
        axes[0].set(ylabel=metric(board), xlabel=f"number of {KEPT}")
    lines = [*_handles(found, few), *references(axes, board, ceiling="ceiling, nothing missing", upright=few)]
    notes = [found.rows_note, _evaluated(found), found.chosen.note]
    spread = "bars" if few else "band"
    seeds = over(found.seeds) + (f", {spread}: ± standard deviation" if found.several else "")
    idea = f"{board.score.title} when modalities are missing"
    finish(figure, title(board, idea), about(board, seeds), notes, lines)
    return [Picture("missing", figure)]


def _subsets(found: Found, row: BoardRow) -> Iterator[Subsets]:
    """Of each seed."""
    for table in found.tables[row.id].values():
        pairs = zip(table["modalities"], table["value"], strict=True)
        yield {str(name): float(value) for name, value in pairs if isinstance(value, (int, float))}


def _each(panel: "Axes", found: Found, values: Mapping[str, Sequence[Subsets]], names: Sequence[str]) -> None:
    """A line a subset, the full set at the top; on it a point a method, a little apart."""
    for place, (row, look) in enumerate(found.looks):
        aside = 0.11 * ((len(found.looks) - 1) / 2 - place)
        known = [(y, [seed[name] for seed in values[row.id] if name in seed]) for y, name in enumerate(names)]
        spreads = [(y + aside, Spread.of(scores)) for y, scores in known if scores]
        panel.errorbar(
            [spread.mean for _, spread in spreads],
            [y for y, _ in spreads],
            xerr=[spread.deviation for _, spread in spreads],
            color=look.colour,
            marker=look.marker,
            markersize=7,
            linestyle="none",
            elinewidth=1.2,
            label=row.label,
        )
    panel.set_yticks(range(len(names)), [name.replace(JOIN, f" {JOIN} ") for name in names])
    panel.set_ylim(-0.5, len(names) - 0.5)
    for y in range(1, len(names)):
        panel.axhline(y - 0.5, color="0.85", linewidth=0.8)
    panel.grid(True, axis="x")


def _by_size(panel: "Axes", found: Found, values: Mapping[str, Sequence[Subsets]], worst: Summary) -> None:
    """Two lines a method: the mean over subsets of a size, with a band, and the worst of them."""
    from matplotlib.ticker import MaxNLocator

    for row, look in found.looks:
        for summary, dashes, kind in ((fmean, DASHES[0], "mean"), (worst, DASHES[2], "worst")):
            by_size: dict[int, list[float]] = {}
            for seed in values[row.id]:
                for size in sorted({name.count(JOIN) for name in seed}):
                    of_size = [value for name, value in seed.items() if name.count(JOIN) == size]
                    by_size.setdefault(size + 1, []).append(summary(of_size))
            spreads = {size: Spread.of(scores) for size, scores in sorted(by_size.items())}
            means = [spread.mean for spread in spreads.values()]
            panel.plot(
                list(spreads),
                means,
                color=look.colour,
                marker=look.marker,
                linestyle=dashes,
                label=f"{row.label}, {kind}",
            )
            if kind == "mean" and any(spread.seeds > 1 for spread in spreads.values()):
                low, high = ([s.mean + sign * s.deviation for s in spreads.values()] for sign in (-1, 1))
                panel.fill_between(list(spreads), low, high, color=look.colour, alpha=0.15, linewidth=0)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.grid(True)


def _handles(found: Found, few: bool) -> list["Artist"]:
    from matplotlib.lines import Line2D

    lines: list[Artist] = [
        Line2D([], [], color=look.colour, marker=look.marker, linestyle="none" if few else "-", label=row.label)
        for row, look in found.looks
    ]
    kinds = ((DASHES[0], "mean over subsets"), (DASHES[2], "worst subset"))
    return lines if few else [*lines, *(Line2D([], [], color="0.3", linestyle=d, label=text) for d, text in kinds)]


def _evaluated(found: Found) -> str:
    """A sentence if not all subsets were evaluated."""
    first = found.chosen.rows[0]
    evaluated, there = found.notes(first, "subsets")[0], found.notes(first, "of")[0]
    return "" if evaluated == there else f"{evaluated} of {there} subsets were evaluated: the worst may not be known."
