"""Numbers of robustness curves: from the standard library alone, so that boards can use them.

A curve is {level: value of the main metric}, level 0 the clean inputs.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

Curve = Mapping[float, float]
Plain = bool | int | float | str | None

CLEAN = "none"  # the corruption of level 0
JOINT = "*"  # the modality of a corruption of all modalities at once


def curves_of(table: Mapping[str, Sequence[Plain]]) -> dict[tuple[str, str], Curve]:
    """The curves of the table ``curves`` of the measure: {(corruption, modality): curve}, each with level 0.

    A curve is left out where the metric is not defined at one of its levels.

    Raises:
        ValueError: if the row of the clean inputs is missing.
    """
    values: dict[tuple[str, str], dict[float, Plain]] = {}
    for corruption, modality, level, value in zip(
        *(table[column] for column in ("corruption", "modality", "level", "value")), strict=True
    ):
        values.setdefault((str(corruption), str(modality)), {})[float(level or 0)] = value
    clean = values.pop((CLEAN, ""), {}).get(0.0)
    if clean is None:
        raise ValueError(f"the table has no row of corruption {CLEAN!r}, level 0")
    found: dict[tuple[str, str], Curve] = {}
    for key, points in values.items():
        known = {level: float(value) for level, value in ({0.0: clean} | points).items() if value is not None}
        if len(known) == len(points) + 1:
            found[key] = known
    return found


def area(curve: Curve) -> float:
    """Mean height of a curve between its first and its last level: trapezoids over the range of levels (AUAC).

    Raises:
        ValueError: for fewer than two levels.
    """
    points = sorted(curve.items())
    if len(points) < 2:
        raise ValueError(f"a curve needs two levels or more, not {len(points)}")
    trapezoids = sum((right - left) * (a + b) / 2 for (left, a), (right, b) in pairwise(points))
    return trapezoids / (points[-1][0] - points[0][0])


def retained(area: float, clean: float, chance: float) -> float:
    """The share of what is above chance that is left: (area - chance)/(clean - chance).

    The same formula serves metrics of which less is better: both differences are negative there.

    Raises:
        ValueError: if the clean score is chance.
    """
    if clean == chance:
        raise ValueError(f"a clean score of {clean}, which is chance, has nothing to retain")
    return (area - chance) / (clean - chance)


def effective(curve: Curve, late: Curve) -> float:
    """Effective robustness against late fusion on the same dataset and seed: the mean over the levels above 0
    of f(σ) - LF(σ) - (f(0) - LF(0)), in units of the metric.

    After MultiBench (Liang et al. 2021, arXiv:2107.07502), whose sum is a mean here. Above 0, the method loses
    less than late fusion (of metrics of which less is better: below 0).

    Raises:
        ValueError: if the two have other levels, or none above 0.
    """
    if sorted(curve) != sorted(late):
        raise ValueError(f"curves of levels {sorted(curve)} and {sorted(late)} cannot be compared")
    levels = [level for level in curve if level > 0]
    if 0 not in curve or not levels:
        raise ValueError(f"a curve needs level 0 and one above, not {sorted(curve)}")
    head_start = curve[0.0] - late[0.0]
    return sum(curve[level] - late[level] - head_start for level in levels) / len(levels)


def relative_area(area: float, oracle: float) -> float:
    """A method's area over that of the oracle, whose posterior knows nothing of the corruption: a method that
    was trained to be robust can be above 1.

    Raises:
        ValueError: if the oracle's area is not positive.
    """
    if oracle <= 0:
        raise ValueError(f"an oracle's area of {oracle} is nothing to be compared with")
    return area / oracle
