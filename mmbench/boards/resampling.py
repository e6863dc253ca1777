"""The bootstrap: which test examples and which seeds each resample holds, and intervals from it.

Test examples are drawn with replacement, whole groups where samples depend on one another (cluster
bootstrap: Davison & Hinkley 1997, section 3.8), the same for every row of a board, so that
differences between rows are paired (Efron & Tibshirani 1993, chapter 13: percentile intervals).

Of S seeds S - 1 are drawn with replacement: S draws would understate the variance of a mean by the
factor (S - 1) / S, which is no trifle with five seeds or two (Rao & Wu 1988).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mmbench.boards.schema import CONFIDENCE, SEED
from mmbench.boards.weighted.sums import Array, Floats, Ints

CHUNK = 4_000_000  # weights at a time: 32 MB
UNDEFINED = 0.05  # largest share of resamples that may leave a score undefined


@dataclass(frozen=True)
class Units:
    """What is resampled.

    Attributes:
        of_row: (N,) the unit of each test row.
        count: of units.
        name: ``example``, or that of the group.
    """

    of_row: Ints
    count: int
    name: str

    @staticmethod
    def of(rows: int, group: Array | None, name: str) -> "Units":
        if group is None:
            return Units(np.arange(rows), rows, "example")
        found, of_row = np.unique(group, return_inverse=True)
        return Units(of_row, len(found), name or "group")


def example_weights(units: Units, bounds: tuple[int, ...]) -> Iterator[tuple[slice, Floats]]:
    """Resamples as weights (N,r) of the test rows, in chunks; none reaches over one of ``bounds``."""
    generator = np.random.default_rng([SEED, units.count])
    width = max(1, CHUNK // max(len(units.of_row), 1))
    start = 0
    for bound in bounds:
        while start < bound:
            stop = min(start + width, bound)
            yield slice(start, stop), _draw(generator, units.count, stop - start)[units.of_row]
            start = stop


def seed_weights(row: str, seeds: int, resamples: int) -> Floats:
    """(R,S) weights of a row's seeds that sum to 1: independent of every other row's."""
    if seeds == 1:
        return np.ones((resamples, 1))
    generator = np.random.default_rng([SEED, int(row, 16)])
    return _draw(generator, seeds, resamples, draws=seeds - 1).T / (seeds - 1)


def _draw(generator: np.random.Generator, units: int, resamples: int, draws: int | None = None) -> Floats:
    """(units, resamples): how often each unit was drawn."""
    drawn = generator.integers(0, units, (resamples, units if draws is None else draws))
    cell = drawn * resamples + np.arange(resamples)[:, None]
    counts = np.bincount(cell.ravel(), minlength=units * resamples)
    return counts.reshape(units, resamples).astype(np.float64)


def interval(values: Floats) -> tuple[float, float] | None:
    """Percentile interval; None if too many resamples leave the value undefined."""
    defined = values[np.isfinite(values)]
    if len(defined) < (1 - UNDEFINED) * len(values):
        return None
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)
