"""The main metric against throughput, and the front of what nothing beats in both. One device setting a picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmbench.boards.board import Board, BoardRow
from mmbench.boards.gather import CEILING
from mmbench.boards.numbers import plural
from mmbench.boards.speed import BATCH, Speed
from mmbench.core.scores import Score
from mmbench.plots.choice import Chosen, NothingToDrawError, choose
from mmbench.plots.material import ONE, Material, Picture, about, metric, over, references, seeds_text, title
from mmbench.plots.paper import finish, looks, panels
from mmbench.results.throughput import DeviceSetting, Throughput

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Point:
    """One row.

    Attributes:
        row: of the board.
        score: its main metric, mean over seeds.
        deviation: over seeds; zero for one.
        speed: samples a second at inference, as on the board.
        record: that states it.
    """

    row: BoardRow
    score: float
    deviation: float
    speed: float
    record: Throughput


def pareto(material: Material) -> list[Picture]:
    """A picture a device setting: a point a row, those of the front joined and named.

    Raises:
        NothingToDrawError: if the throughput of fewer than two rows is known, under every setting.
    """
    board = material.board
    found = {speed.setting: _points(board, speed) for speed in board.speeds}
    known = {setting: points for setting, points in found.items() if len(points) > 1}
    if not known:
        raise NothingToDrawError(
            "no two rows have a throughput under one device setting; run `mmbench throughput` with the same --out"
        )
    return [
        _draw(material, setting, points, f"pareto-{setting.slug}" if len(known) > 1 else "pareto")
        for setting, points in known.items()
    ]


def front(points: Sequence[Point], score: Score) -> list[Point]:
    """Points that no other beats in one of speed and score without being beaten in the other; the fastest first."""
    kept: list[Point] = []
    sign = -1 if score.higher_is_better else 1
    for point in sorted(points, key=lambda one: (-one.speed, sign * one.score)):
        if not kept or score.better(point.score, kept[-1].score):
            kept.append(point)
    return kept


def _points(board: Board, speed: Speed) -> list[Point]:
    """Rows that have both, and are better than chance: nothing is faster than a guess."""
    found = []
    for row in board.rows:
        score, fast = row.scores.get(board.score.name), speed.samples_per_second(row.id)
        if score is None or fast is None or row.role == CEILING:
            continue
        if board.chance is None or board.score.better(score.mean, board.chance):
            found.append(Point(row, score.mean, score.deviation or 0.0, fast, speed.records[row.id]))
    return found


def _draw(material: Material, setting: DeviceSetting, points: Sequence[Point], name: str) -> Picture:
    board = material.board
    best = front(points, board.score)
    by_id = {point.row.id: point for point in points}
    chosen = choose(board, material.wanted, by_id, [point.row.id for point in best])
    figure, axes = panels(1, height=4.6)
    handles = _scatter(axes[0], [by_id[row.id] for row in chosen.rows], points, best)
    axes[0].set_xscale("log")
    axes[0].grid(True)
    axes[0].set(xlabel="throughput at inference, samples a second, log scale (→ better)", ylabel=metric(board))
    notes = [
        f"{setting}.",
        f"Throughput is that of inference in batches of at most {BATCH}. Rows no better than chance are left out.",
        _named(chosen, len(points)),
        *_reservations(board, points),
    ]
    seeds = seeds_text(point.row.seeds for point in points)
    spread = "" if seeds == ONE else ", bars: ± standard deviation over seeds"
    lines = [*handles, *references(axes, board, ceiling="ceiling", chance="")]
    idea = f"{board.score.title} against throughput"
    finish(figure, title(board, idea), about(board, over(seeds) + spread), notes, lines)
    return Picture(name, figure)


def _scatter(panel: "Axes", named: Sequence[Point], points: Sequence[Point], best: Sequence[Point]) -> list["Artist"]:
    """Small grey dots for all, markers for those that are named (hollow off the front), the front as steps."""
    from matplotlib.lines import Line2D

    panel.plot([p.speed for p in points], [p.score for p in points], ".", color="0.6", markersize=6, label="all")
    panel.step(
        [p.speed for p in best],
        [p.score for p in best],
        where="pre",
        color="0.3",
        linewidth=1.1,
        label="front",
        zorder=1,
    )
    handles: list[Artist] = []
    for point, look in zip(named, looks(len(named)), strict=True):
        face = look.colour if point in best else "white"
        panel.errorbar(
            [point.speed],
            [point.score],
            yerr=[point.deviation],
            color=look.colour,
            marker=look.marker,
            markerfacecolor=face,
            markersize=9,
            markeredgewidth=1.6,
            linestyle="none",
            elinewidth=1.2,
            label=point.row.label,
        )
        handles.append(
            Line2D(
                [],
                [],
                color=look.colour,
                marker=look.marker,
                markerfacecolor=face,
                linestyle="none",
                markersize=7,
                markeredgewidth=1.4,
                label=point.row.label,
            )
        )
    return [*handles, Line2D([], [], color="0.3", linewidth=1.1, label="Pareto front")]


def _named(chosen: Chosen, count: int) -> str:
    others = count - len(chosen.rows)
    unnamed = f" Grey dots: {plural(others, 'other row')}." if others else ""
    return f"Filled: on the front, nothing is both faster and better. Hollow: off it.{unnamed}"


def _reservations(board: Board, points: Sequence[Point]) -> Iterator[str]:
    """What a reader should know of the figures."""
    busy = sum(point.record.busy for point in points)
    if busy:
        yield f"Throughput of {plural(busy, 'row')} was measured on a busy machine."
    if any(point.record.identity.core_source != board.core_source for point in points):
        yield "Throughput was measured with another version of mmbench than the scores."
