"""Scores of a measure that need another row: effective robustness, and the share of the oracle's robustness."""

from collections.abc import Mapping
from dataclasses import replace

from mmbench.boards.gather import CEILING, Row
from mmbench.boards.measured import OfMeasure
from mmbench.core.scores import Score
from mmbench.measures.robustness.curves import Curve, area, curves_of, effective, relative_area
from mmbench.results.measurements import Measurement

LATE = "late"  # the method whose default row effective robustness is measured against
EFFECTIVE = Score("robustness_effective", "effective robustness", low=float("-inf"), high=float("inf"), chance=0.0)
OF_ORACLE = Score("robustness_of_oracle", "area / oracle's", low=float("-inf"), high=float("inf"))


def with_derived(found: OfMeasure, rows: tuple[Row, ...], higher_is_better: bool) -> OfMeasure:
    """Robustness with its two scores of other rows, seed by seed, where these rows have been measured.

    Effective robustness (MultiBench, Liang et al. 2021) is against late fusion of the same dataset, seed and
    draws: the mean over all curves and levels of what the method loses less than it, turned so that more is
    better. The oracle's posterior knows nothing of the corruptions.
    """
    late = next((row.id for row in rows if row.label == LATE), "")
    oracle = next((row.id for row in rows if row.any.role == CEILING), "")
    sign = 1 if higher_is_better else -1
    entries: dict[str, dict[int, Measurement]] = {}
    for row, by_seed in found.entries.items():
        entries[row] = {}
        for seed, entry in by_seed.items():
            more = {
                EFFECTIVE.name: _effective(entry, found.entries.get(late, {}).get(seed), sign),
                OF_ORACLE.name: _of_oracle(entry, _only(found.entries.get(oracle, {}))),
            }
            known = {name: value for name, value in more.items() if value is not None}
            entries[row][seed] = entry.model_copy(update={"scores": {**entry.scores, **known}})
    names = (EFFECTIVE, OF_ORACLE)
    card = replace(
        found.card,
        scores=(*found.card.scores, *names),
        details=(*found.card.details, *(score.name for score in names)),
    )
    return replace(found, card=card, entries=entries)


def _effective(entry: Measurement, late: Measurement | None, sign: int) -> float | None:
    """Mean over curves; None unless both have the same ones at the same levels."""
    if late is None or not {"curves"} <= set(entry.tables) & set(late.tables):
        return None
    ours, theirs = curves_of(entry.tables["curves"]), curves_of(late.tables["curves"])
    if not ours or _levels(ours) != _levels(theirs):
        return None
    return sign * sum(effective(ours[key], theirs[key]) for key in ours) / len(ours)


def _levels(curves: Mapping[tuple[str, str], Curve]) -> dict[tuple[str, str], list[float]]:
    return {key: sorted(curve) for key, curve in curves.items()}


def _of_oracle(entry: Measurement, oracle: Measurement | None) -> float | None:
    if oracle is None or not {"curves"} <= set(entry.tables) & set(oracle.tables):
        return None
    ours, theirs = (_mean_area(each) for each in (entry, oracle))
    return relative_area(ours, theirs) if ours is not None and theirs else None


def _mean_area(entry: Measurement) -> float | None:
    curves = curves_of(entry.tables["curves"])
    return sum(map(area, curves.values())) / len(curves) if curves else None


def _only(by_seed: Mapping[int, Measurement]) -> Measurement | None:
    """The oracle's: it is deterministic."""
    return next(iter(by_seed.values()), None)
