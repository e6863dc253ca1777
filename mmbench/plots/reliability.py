"""The reliability diagram: how often what was predicted with a probability happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmbench.boards.board import BoardRow
from mmbench.plots.material import Found, Material, Picture, Spread, Table, about, find, title
from mmbench.plots.paper import Look, finish, label, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARGIN = 0.03  # around 0 to 1, so that no point is cut
FEW = 0.01  # of all forecasts: the point of a bin with fewer is hollow


@dataclass(frozen=True)
class Bin:
    """One bin, all seeds together.

    Attributes:
        low, high: its bounds.
        share: of all forecasts.
        confidence: mean forecast; None if it is empty.
        frequency: of what was forecast, and its deviation over seeds.
    """

    low: float
    high: float
    share: float
    confidence: float | None
    frequency: Spread | None


def reliability(material: Material) -> list[Picture]:
    """A panel a method: the frequency in each bin of predicted probability, the share of forecasts that fall into
    it, and the error (ECE) with what a calibrated method would show of it.

    Raises:
        NothingToDrawError: if there is no such diagram.
    """
    board, found = material.board, find(material, "calibration", "reliability")
    figure, axes = panels(len(found.chosen.rows), height=3.1)
    for panel, (row, look) in zip(axes, found.looks, strict=True):
        _draw(panel, bins_of(found.tables[row.id]), look)
        panel.set_title(f"{row.label}\n{_error(found, row)}")
    exclusive = board.task.kind == "classification"
    axes[0].set(xlim=(-MARGIN, 1 + MARGIN), ylim=(-MARGIN, 1 + MARGIN))  # which all share
    forecast = "probability of the predicted class" if exclusive else "predicted probability"
    label(axes, forecast, "how often it was right" if exclusive else "frequency of the positive")
    notes = [
        "Grey bars: share of forecasts in each bin, on the same scale. Diagonal: calibrated; below it, overconfident."
        if exclusive
        else "Grey bars: share of forecasts in each bin, on the same scale. Diagonal: calibrated.",
        f"Hollow, without bars: bins with fewer than {FEW:.0%} of the forecasts.",
        "Null: the ECE of a calibrated method on as many rows, its mean and 95 % quantile.",
        found.rows_note,
        found.chosen.note,
    ]
    bars = f"{found.seeds} pooled, bars: ± standard deviation over seeds" if found.several else found.seeds
    finish(figure, title(board, "predicted probability against frequency"), about(board, bars), notes)
    return [Picture("reliability", figure)]


def bins_of(tables: Mapping[int, Table]) -> list[Bin]:
    """The bins of all seeds, pooled by count."""
    every = list(tables.values())
    total = sum(_number(count) for table in every for count in table["count"])
    found = []
    for place, (low, high) in enumerate(zip(every[0]["low"], every[0]["high"], strict=True)):
        filled = [
            (_number(table["count"][place]), _number(table["confidence"][place]), _number(table["accuracy"][place]))
            for table in every
            if table["count"][place]
        ]
        count = sum(n for n, _, _ in filled)
        pooled = [sum(one[0] * one[which] for one in filled) / count for which in (1, 2)] if count else None
        deviation = Spread.of([accuracy for _, _, accuracy in filled]).deviation if filled else 0.0
        found.append(
            Bin(
                _number(low),
                _number(high),
                count / total if total else 0.0,
                pooled[0] if pooled else None,
                Spread(pooled[1], deviation, len(filled)) if pooled else None,
            )
        )
    return found


def _draw(panel: "Axes", bins: Sequence[Bin], look: Look) -> None:
    panel.bar(
        [one.low for one in bins],
        [one.share for one in bins],
        [one.high - one.low for one in bins],
        align="edge",
        color="0.85",
        edgecolor="white",
        linewidth=0.8,
        label="share",
    )
    panel.plot([0, 1], [0, 1], color="black", linewidth=0.9, linestyle=":", label="calibrated")
    for few in (True, False):
        points = [
            (one.confidence, one.frequency.mean, one.frequency.deviation)
            for one in bins
            if one.confidence is not None and one.frequency is not None and (one.share < FEW) == few
        ]
        if not points:
            continue
        x, y, deviations = (list(column) for column in zip(*points, strict=True))
        panel.errorbar(
            x,
            y,
            None if few else deviations,
            color=look.colour,
            marker=look.marker,
            markerfacecolor="white" if few else look.colour,
            linestyle="none" if few else "-",
            linewidth=1.2,
            elinewidth=1,
            label="few" if few else "frequency",
        )


def _error(found: Found, row: BoardRow) -> str:
    """``ECE 0.031; null 0.020, 95 %: 0.029``: means over seeds."""
    names = ("ece", "ece_null", "ece_null_95")
    values = [estimate.mean for name in names if (estimate := found.measure.estimate(row.id, name)) is not None]
    if len(values) < len(names):
        return ""
    error, null, upper = values
    return f"ECE {error:.3f}; null {null:.3f}, 95 %: {upper:.3f}"


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
