"""Expected calibration errors, and what a calibrated predictor of the same size would show of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
Table = Mapping[str, list[float | int | None]]


class Bins:
    """Forecasts (probabilities of events) in bins.

    Args:
        forecast: (n,) probabilities.
        place: (n,) the bin of each.
        count: number of bins.
    """

    def __init__(self, forecast: Array, place: Whole, count: int) -> None:
        self.place, self.count, self.size = place, count, len(forecast)
        self.expected = np.bincount(place, weights=forecast, minlength=count)

    def happened(self, events: NDArray[np.bool_] | Whole) -> Whole:
        """(count,) events a bin; they are given as a mask (n,), or as the positions of those that happened."""
        return np.bincount(self.place[events], minlength=self.count).astype(np.int64)

    def error(self, events: NDArray[np.bool_] | Whole) -> float:
        """Σ_b n_b/n |frequency_b − mean forecast_b|."""
        return float(np.abs(self.happened(events) - self.expected).sum() / self.size)

    def table(self, events: NDArray[np.bool_] | Whole) -> Table:
        """The reliability diagram of bins of equal width: their bounds, number of forecasts, mean forecast
        (``confidence``) and frequency of the event (``accuracy``); None in empty bins."""
        counts = np.bincount(self.place, minlength=self.count)
        edges = np.linspace(0, 1, self.count + 1)
        return {
            "low": [_short(edge) for edge in edges[:-1]],
            "high": [_short(edge) for edge in edges[1:]],
            "count": counts.tolist(),
            "confidence": _means(self.expected, counts),
            "accuracy": _means(self.happened(events), counts),
        }


def equal_width(forecast: Array, bins: int) -> Whole:
    """The bin of each forecast: ((b−1)/B, b/B], the first with 0."""
    place = np.searchsorted(np.linspace(0, 1, bins + 1), forecast, side="left") - 1
    return place.clip(0, bins - 1).astype(np.int64)


def equal_mass(forecast: Array, bins: int) -> Whole:
    """The bin of each forecast: of n/B neighbours in rank, as nearly as ties allow, which share a bin."""
    rank = np.searchsorted(np.sort(forecast), forecast)
    return (rank * bins // len(forecast)).astype(np.int64)


class Calibration:
    """The three calibration errors of one (N,K) prediction, for any outcome.

    Args:
        probability: (N,K); rows sum to one if classes are exclusive.
        exclusive: whether one of K classes happens (then the error is that of the most probable one), or
            each of K labels by itself (then it is that of all N*K probabilities).
        bins: for each error.
    """

    def __init__(self, probability: Array, exclusive: bool, bins: int) -> None:
        self.exclusive, (self.rows, self.width) = exclusive, probability.shape
        self.flat = probability.ravel()
        each = equal_width(self.flat, bins) + np.arange(len(self.flat)) % self.width * bins
        self.classwise = Bins(self.flat, each, bins * self.width)
        self.best = probability.argmax(1)
        forecast = probability.max(1) if exclusive else self.flat
        self.by_width = Bins(forecast, equal_width(forecast, bins), bins)
        self.by_mass = Bins(forecast, equal_mass(forecast, bins), bins)
        self.cumulated = _cumulated(probability) if exclusive else self.flat

    def errors(self, target: Whole | Array) -> dict[str, float]:
        """``width``, ``mass``, ``classwise``: the errors when (N,) classes or (N,K) labels happen."""
        return self._errors(self._positions(target))

    def null(self, generator: np.random.Generator, simulations: int) -> dict[str, Array]:
        """The same errors, (simulations,) each, when what happens is drawn from the probabilities themselves.

        The bootstrap of Bröcker & Smith 2007 (Increasing the reliability of reliability diagrams) without
        their resampling of forecasts.
        """
        drawn = [self._errors(self._draw(generator)) for _ in range(simulations)]
        return {name: np.array([errors[name] for errors in drawn]) for name in drawn[0]}

    def reliability(self, target: Whole | Array) -> Table:
        """The reliability diagram, in bins of equal width."""
        return self.by_width.table(self._events(self._positions(target)))

    def _positions(self, target: Whole | Array) -> Whole:
        """Of what happened, among all N*K."""
        if self.exclusive:
            return np.asarray(np.arange(self.rows) * self.width + target, np.int64)
        return np.flatnonzero(target.ravel() > 0.5)

    def _draw(self, generator: np.random.Generator) -> Whole:
        if not self.exclusive:
            return np.flatnonzero(generator.random(len(self.flat)) < self.flat)
        rows = np.arange(self.rows)
        drawn = np.searchsorted(self.cumulated, rows + generator.random(self.rows), side="right")
        return np.asarray(np.minimum(drawn, (rows + 1) * self.width - 1))  # a sum may round up to the next row

    def _events(self, positions: Whole) -> NDArray[np.bool_] | Whole:
        return positions % self.width == self.best if self.exclusive else positions

    def _errors(self, positions: Whole) -> dict[str, float]:
        events = self._events(positions)
        return {
            "width": self.by_width.error(events),
            "mass": self.by_mass.error(events),
            "classwise": self.classwise.error(positions),
        }


@dataclass(frozen=True)
class Level:
    """An error beside what calibrated predictors show: the mean and the 95 % quantile of its null."""

    error: float
    mean: float
    upper: float


def levels(found: Calibration, target: Whole | Array, null: Mapping[str, Array]) -> dict[str, Level]:
    """Each error beside its null."""
    errors = found.errors(target).items()
    return {name: Level(e, float(null[name].mean()), float(np.quantile(null[name], 0.95))) for name, e in errors}


def _cumulated(probability: Array) -> Array:
    """(N*K,) cumulated probabilities; where one row's end, the next row's begin."""
    rows = np.arange(len(probability))[:, None]
    found = probability.cumsum(1).clip(0, 1)
    found[:, -1] = 1  # whatever rounding has made of the sum
    return np.asarray(found + rows, np.float64).ravel()


def _means(sums: Array | Whole, counts: Whole) -> list[float | int | None]:
    return [_short(total / count) if count else None for total, count in zip(sums, counts, strict=True)]


def _short(value: float) -> float:
    return float(f"{value:.5g}")
