"""Pruning: a trial that is behind the median of earlier ones ends before its time.

After the median stopping of Golovin et al. 2017: after epoch e a trial ends whose lowest validation criterion so
far is above the median of what the finished trials of earlier rounds had reached by then. One that had ended before
e counts with the lowest that it ever had. Rounds make the rule independent of what runs side by side.
"""

from collections.abc import Sequence
from itertools import accumulate
from statistics import median

GRACE = 20  # epochs that every training gets: as many as early stopping leaves it (``Training.floor``)
LEAST = 3  # finished trials that a median needs
DIGITS = 7  # significant, of criteria in files: what float32 has


class PrunedError(Exception):
    """A training was ended because earlier trials did better by then."""

    def __init__(self, epoch: int) -> None:
        super().__init__(f"ended after epoch {epoch}: the validation criterion was above the median of earlier trials")
        self.epoch = epoch


def lowest_so_far(criteria: Sequence[float]) -> tuple[float, ...]:
    """After each epoch, to the digits that files keep."""
    return tuple(float(f"{value:.{DIGITS}g}") for value in accumulate(criteria, min))


def bars(finished: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    """Median over trials after each epoch; none of fewer than ``LEAST`` trials.

    Args:
        finished: ``lowest_so_far`` of each trial that came to its end; without any where it has no criterion.
    """
    known = [criteria for criteria in finished if criteria]
    if len(known) < LEAST:
        return ()
    return tuple(
        median(criteria[min(epoch, len(criteria) - 1)] for criteria in known) for epoch in range(max(map(len, known)))
    )


def is_hopeless(criteria: Sequence[float], bars: Sequence[float]) -> bool:
    """Whether a training is to be ended after these epochs."""
    epochs = len(criteria)
    return bool(bars) and epochs >= GRACE and min(criteria) > bars[min(epochs, len(bars)) - 1]
