"""Pairs: ways of doing the same thing, timed in turn within one run, and what follows from their times.

A record is what the report needs of one comparison, or of one figure that is not a time.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

Work = Callable[[], object]
Quantity = Literal["faster", "share", "overhead", "step"]
ROUNDS = 7
REDUCED = "BENCH_ROUNDS"  # fewer, to see whether all works; the report then says so


@dataclass(frozen=True)
class Versus:
    """How the times of ours and of another way are compared.

    Attributes:
        what: is compared with what.
        quantity: ``faster`` theirs/ours; ``share`` ours/theirs; ``overhead`` the share above 1 in
            per cent; ``step`` the difference in microseconds a step.
        aim: the least for ``faster``, the largest for the others; None where there is no aim.
        goal: the number of the aim; 0 for none.
        steps: in the work that is timed; times are then reported for each.
        each: what a step is called.
    """

    what: str
    quantity: Quantity = "faster"
    aim: float | None = None
    goal: int = 0
    steps: int = 1
    each: str = "step"

    def value(self, ours: float, theirs: float) -> float:
        """Of one pair, from seconds."""
        return {
            "faster": theirs / ours,
            "share": ours / theirs,
            "overhead": 100 * (ours / theirs - 1),
            "step": 1e6 * (ours - theirs) / self.steps,
        }[self.quantity]

    @property
    def unit(self) -> str:
        return {"faster": "×", "share": "×", "overhead": "%", "step": "µs"}[self.quantity]

    def record(self, family: str, ours: list[float], theirs: list[float]) -> dict[str, Any]:
        """Of all pairs, from their seconds."""
        values = [self.value(a, b) for a, b in zip(ours, theirs, strict=True)]
        sense: Literal[">=", "<="] = ">=" if self.quantity == "faster" else "<="
        times: dict[str, Any] = {"ours": [x / self.steps for x in ours], "theirs": [x / self.steps for x in theirs]}
        times["each"] = self.each if self.steps > 1 else ""
        return {**figure(family, self.what, values, self.unit, sense, self.aim, self.goal), "times": times}


def figure(
    family: str,
    what: str,
    values: Iterable[float],
    unit: str = "",
    sense: Literal[">=", "<="] = "<=",
    aim: float | None = None,
    goal: int = 0,
) -> dict[str, Any]:
    """The record of something measured once or several times; its median counts."""
    values = list(values)
    middle = median(values)
    met = None if aim is None else (middle >= aim if sense == ">=" else middle <= aim)
    spread = {"median": middle, "min": min(values), "max": max(values), "count": len(values)}
    wanted = {"sense": sense, "aim": aim, "goal": goal, "met": met}
    return {"family": family, "what": what, "unit": unit, **spread, **wanted}


def rounds_of(wanted: int = ROUNDS) -> int:
    """How many pairs to take."""
    return int(os.environ.get(REDUCED) or wanted)


class Timed:
    """Work whose every call is timed.

    Attributes:
        seconds: of each call.
    """

    def __init__(self, work: Work) -> None:
        self.work = work
        self.seconds: list[float] = []

    def __call__(self) -> None:
        started = time.perf_counter()
        self.work()
        self.seconds.append(time.perf_counter() - started)


def compare(benchmark: Any, ours: Work, others: Mapping[str, Work], rounds: int = ROUNDS, warm_up: bool = True) -> Any:
    """Time ours and all others in turn, in each round once.

    Args:
        benchmark: the fixture of pytest-benchmark, which times ours too.
        ours, others: what is timed.
        rounds: pairs that count.
        warm_up: whether a round that does not count comes first.

    Returns:
        Seconds of ours, and of each other by its name.
    """
    rounds = rounds_of(rounds)
    timed, against = Timed(ours), {name: Timed(work) for name, work in others.items()}

    def setup() -> None:
        for other in against.values():
            other()

    benchmark.pedantic(timed, setup=setup, rounds=rounds, warmup_rounds=int(warm_up), iterations=1)
    return timed.seconds[-rounds:], {name: other.seconds[-rounds:] for name, other in against.items()}


def keep(benchmark: Any, *records: dict[str, Any]) -> None:
    """Add records to what the report is made of."""
    benchmark.extra_info.setdefault("records", []).extend(records)
