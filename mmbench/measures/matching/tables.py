"""What stands behind the scores: pairs of modalities, retrieval by direction, chance levels."""

from collections.abc import Mapping, Sequence

import numpy as np

from mmbench.measures.matching.compare import Compared
from mmbench.measures.matching.views import mean
from mmbench.measures.subject import Array, Plain, Table

Compareds = Mapping[tuple[str, str], Compared]


def tables(compared: Compareds) -> dict[str, Table]:
    """``pairs``: one row a pair of modalities, with its scores if there are several pairs. ``chance``: of the scores
    whose level depends on the rows. ``retrieval``: one row a direction. The last two only where something
    is compared row by row."""
    pairs = _columns(
        [
            {"first": first, "second": second, **each.facts, **level(each.deranged)}
            | (each.scores if len(compared) > 1 else {})
            for (first, second), each in compared.items()
        ]
    )
    chance = _columns([{"score": name, "chance": value} for name, value in _chance(compared).items()])
    found = {"pairs": pairs, "chance": chance, "retrieval": _columns(_directions(compared))}
    return {name: table for name, table in found.items() if table}


def level(deranged: Array) -> dict[str, float]:
    """Mean and standard error of the headline score without any matching."""
    if not len(deranged):
        return {}
    return {"chance_mm": rounded(deranged.mean()), "chance_mm_se": rounded(deranged.std(ddof=1))}


def mean_deranged(compared: Compareds) -> Array:
    """(D,) of the mean over pairs; empty if one of them has no map."""
    deranged = [each.deranged for each in compared.values()]
    return np.asarray(np.mean(deranged, 0)) if all(map(len, deranged)) else np.empty(0)


def rounded(value: float) -> float:
    """To 5 significant digits."""
    return float(f"{value:.5g}")


def _chance(compared: Compareds) -> dict[str, float]:
    return mean([each.chance for each in compared.values()])


def _directions(compared: Compareds) -> list[dict[str, Plain]]:
    found: list[dict[str, Plain]] = []
    for (first, second), each in compared.items():
        for (which, side), scores in each.retrieval.items():
            query, gallery = (first, second) if side == "first" else (second, first)
            found.append({"query": query, "gallery": gallery, "encodings": which, **scores})
    return found


def _columns(rows: Sequence[Mapping[str, Plain]]) -> dict[str, list[Plain]]:
    """By name, None where a row lacks it."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [_plain(row.get(name)) for row in rows] for name in names}


def _plain(value: Plain) -> Plain:
    return rounded(value) if isinstance(value, float) else value
