"""Timing: steps are taken until their time has settled, and then timed one by one."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter_ns
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

WINDOW = 10  # steps whose medians are compared in the warm-up
TOLERANCE = 0.05  # between two such medians
GLANCE = 5  # steps at least of a quick look

Step = Callable[[], object]


@dataclass(frozen=True)
class Pace:
    """How long a step is timed.

    Args:
        steps: at least so many are timed,
        seconds: and for at least so long,
        most: but no more than so many, which bounds what is kept.
        warm_up: steps after which the warm-up ends even if it has not settled;
        warm_up_seconds: and seconds.
    """

    steps: int = 50
    seconds: float = 1.0
    most: int = 20_000
    warm_up: int = 200
    warm_up_seconds: float = 5.0


@dataclass(frozen=True)
class Times:
    """Of one step.

    Attributes:
        seconds: (n,) of each timed step, in their order.
        warm_up: steps that were taken before.
        stable: whether the medians of the last two windows of the warm-up were alike.
    """

    seconds: NDArray[np.float64]
    warm_up: int
    stable: bool

    @property
    def median(self) -> float:
        return float(np.median(self.seconds))

    def milliseconds(self, percent: float) -> float:
        """A percentile, interpolated linearly between the two nearest steps."""
        return 1e3 * float(np.percentile(self.seconds, percent))


class Clock(Protocol):
    """What tells how long steps take."""

    def times(self, step: Step, count: int) -> NDArray[np.float64]:
        """(count,) seconds of steps that are taken one right after the other."""
        ...


class HostClock:
    """Of steps that have ended when they return."""

    def times(self, step: Step, count: int) -> NDArray[np.float64]:
        stamps = np.empty(count + 1, dtype=np.int64)
        stamps[0] = perf_counter_ns()
        for i in range(count):
            step()
            stamps[i + 1] = perf_counter_ns()
        return np.diff(stamps) / 1e9


class DeviceClock:
    """Of steps that a GPU works off by itself: an event between every two, and one synchronisation at the end."""

    def times(self, step: Step, count: int) -> NDArray[np.float64]:
        events = [torch.cuda.Event(enable_timing=True) for _ in range(count + 1)]  # type: ignore[no-untyped-call]
        torch.cuda.synchronize()
        events[0].record()
        for event in events[1:]:
            step()
            event.record()
        torch.cuda.synchronize()
        return np.array([before.elapsed_time(after) for before, after in pairwise(events)]) / 1e3


def time_step(step: Step, clock: Clock, pace: Pace) -> Times:
    """Warm up, then time: at least ``pace.steps`` steps, and about ``pace.seconds`` seconds."""
    warm_up, stable, median = warmed_up(step, clock, pace)
    wanted = pace.steps if median <= 0 else max(pace.steps, int(np.ceil(pace.seconds / median)))
    return Times(clock.times(step, min(wanted, max(pace.most, pace.steps))), warm_up, stable)


def warmed_up(step: Step, clock: Clock, pace: Pace) -> tuple[int, bool, float]:
    """Take steps until the median of the last ten is within 5 % of that of the ten before.

    Returns:
        Steps that were taken; whether they have settled; the last median in seconds.
    """
    taken, median = WINDOW, float(np.median(clock.times(step, WINDOW)))
    spent = WINDOW * median  # by the median, since the first steps may have been compiled
    while taken < pace.warm_up and spent < pace.warm_up_seconds:
        before, median = median, float(np.median(clock.times(step, WINDOW)))
        taken, spent = taken + WINDOW, spent + WINDOW * median
        if abs(median - before) <= TOLERANCE * before:
            return taken, True, median
    return taken, False, median


def glance(step: Step, clock: Clock, seconds: float = 0.2) -> float:
    """The median over some steps, in seconds: enough to tell whether a batch size is worth timing."""
    first = float(np.median(clock.times(step, GLANCE)))
    more = int(seconds / first) if first > 0 else GLANCE
    return float(np.median(clock.times(step, min(max(GLANCE, more), 20 * GLANCE))))
