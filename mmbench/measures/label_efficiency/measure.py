"""Label efficiency: the main metric against the share of the training rows that a method is fitted on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import trapezoid

from mmbench.core.errors import MmbenchError
from mmbench.core.task import BERNOULLI, Task
from mmbench.measures.label_efficiency.order import nested_order
from mmbench.measures.subject import Findings, Plain, Subject, Table

TENTH = 0.1
FEWEST = 2  # rows of a subset: of two classes, since each has one before any has two
LITTLE = 0.05  # skill with all labels below which a share of it says nothing


@dataclass(frozen=True)
class Point:
    """Of the curve: a share of the rows, how many these are, and the main metric; why it is None."""

    share: float
    rows: int
    value: float | None
    why: str = ""
    failed: bool = False


def label_efficiency(subject: Subject, *, shares: tuple[float, ...] = (0.01, 0.05, 0.1, 0.25, 1.0)) -> Findings:
    """The main metric on test of the method fitted on nested subsets of the train split.

    Subsets are stratified by class, and the same for every method of a seed. Validation is whole throughout.

    Args:
        subject: which is fitted again for every share below 1.
        shares: of the rows of the train split, above 0, at most 1.

    Raises:
        MmbenchError: for a share that is none, or fewer than two.
    """
    wanted = sorted(set(shares))
    if len(wanted) < 2 or wanted[0] <= 0 or wanted[-1] > 1:
        raise MmbenchError(f"label-efficiency: shares={shares}; give at least two, above 0 and at most 1")
    points = _curve(subject, wanted)
    chance = subject.task.score.chance if subject.chance is None else subject.chance
    skills = [_skill(subject.task, point.value, chance) for point in points]
    table: Table = {
        "share": [point.share for point in points],
        "rows": [point.rows for point in points],
        "value": [_short(point.value) for point in points],
        "skill": [_short(skill) for skill in skills],
    }
    left_out = "; ".join(f"{point.share:g}: {point.why}" for point in points if point.why)
    notes: dict[str, Plain] = {"left_out": left_out} if left_out else {}
    scores = _scores(points, skills, notes)
    reason = "" if scores else "too few points of the curve, or no prior to measure them from"
    return Findings(scores, {"curve": table}, notes, reason)


def _curve(subject: Subject, shares: Sequence[float]) -> list[Point]:
    order = nested_order(_classes(subject), subject.generator("label-efficiency"))
    test = subject.rows("test")
    known: dict[int, Point] = {}

    def point(share: float) -> Point:
        rows = order[: max(round(share * len(order)), 1)]
        if len(rows) in known:
            return known[len(rows)]
        if len(rows) < FEWEST:
            return Point(share, len(rows), None, f"{len(rows)} row")
        try:
            fitted = subject if len(rows) == len(order) else subject.refit(np.sort(rows))
            value = subject.score(fitted.predictions("test"), test)
        except MemoryError:
            raise
        except Exception as error:  # diverged, or too few rows for what it does with them: a plugin's, of any kind
            if "out of memory" in str(error):
                raise
            return Point(share, len(rows), None, f"{type(error).__name__}: {error}"[:200], failed=True)
        why = "" if math.isfinite(value) else f"{subject.task.metric} is not defined"
        return Point(share, len(rows), None if why else value, why, failed=bool(why))

    points = []
    for share in shares:
        found = point(share)
        known[found.rows] = found
        points.append(Point(share, found.rows, found.value, found.why, found.failed))
    return points


def _classes(subject: Subject) -> NDArray[np.int64]:
    """(N,) by what the subsets are stratified: classes, or the one label; all rows are alike in other tasks."""
    task, target = subject.task, subject.targets("train")
    if task.kind == "classification":
        return target.astype(np.int64)
    if task.kind in BERNOULLI and task.outputs == 1:
        return target[:, 0].astype(np.int64)
    return np.zeros(len(target), np.int64)


def _skill(task: Task, value: float | None, chance: float | None) -> float | None:
    """(value − chance) / (best − chance): 0 is the training prior, 1 is perfect, whatever the metric's direction."""
    best = task.score.high if task.score.higher_is_better else task.score.low
    if value is None or chance is None or best == chance or not math.isfinite(best):
        return None
    return (value - chance) / (best - chance)


def _scores(points: Sequence[Point], skills: Sequence[float | None], notes: dict[str, Plain]) -> dict[str, float]:
    by_share = {point.share: skill for point, skill in zip(points, skills, strict=True) if skill is not None}
    scores = {}
    if any(point.failed for point in points):
        notes["no_area"] = "a point of the curve failed"  # other methods have it: their area is another
    elif len(by_share) > 1:
        scores["label_area"] = _area(list(by_share), list(by_share.values()))
        notes["area_from"] = min(by_share)
    tenth, whole = by_share.get(TENTH), by_share.get(1.0)
    if tenth is not None:
        scores["label_10"] = tenth
    if tenth is not None and whole is not None and whole >= LITTLE:
        scores["label_10_kept"] = tenth / whole
    return scores


def _area(shares: Sequence[float], skills: Sequence[float]) -> float:
    """Mean skill over the logarithm of the share, by the trapezoidal rule."""
    x = np.log(shares)
    return float(trapezoid(skills, x) / (x[-1] - x[0]))


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")
