"""Resampled scores of a board's rows, and the estimates and differences that come from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import floor, log10
from statistics import fmean, stdev

import numpy as np

from mmbench.boards.gather import Row
from mmbench.boards.predictions import RowPredictions, Targets
from mmbench.boards.resampling import UNDEFINED, example_weights, interval, seed_weights
from mmbench.boards.schema import RESAMPLES_OTHERS, Difference, Estimate
from mmbench.boards.weighted import weighted_scores
from mmbench.boards.weighted.sums import Floats

DIGITS = 6  # significant, in files


@dataclass(frozen=True)
class Resampled:
    """What the bootstrap gave.

    Attributes:
        scores: {row id: {score: (R,) its mean over resampled seeds}}; NaN where undefined.
        reasons: {row id: why the row has none}.
    """

    scores: Mapping[str, Mapping[str, Floats]]
    reasons: Mapping[str, str]


def resample(
    kind: str, metric: str, rows: Sequence[RowPredictions], targets: Targets, resamples: int
) -> dict[str, dict[str, Floats]]:
    """{row id: {score: (R,)}}: each score under the resampled test split and the resampled seeds.

    The main metric, by which rows are compared and ranked, gets all resamples; the others fewer.
    """
    fewer = min(resamples, RESAMPLES_OTHERS)
    names = {name for predicted in rows for result in predicted.row.results for name in result.scores}
    by_seed: dict[str, list[dict[str, Floats]]] = {p.row.id: [{} for _ in p.seeds] for p in rows}
    for part, weights in example_weights(targets.units, (fewer, resamples)):
        wanted = names if part.start < fewer else {metric}
        for predicted in rows:
            for kept, prediction in zip(by_seed[predicted.row.id], predicted.seeds, strict=True):
                for name, values in weighted_scores(kind, prediction, targets.target, weights, wanted).items():
                    size = resamples if name == metric else fewer
                    kept.setdefault(name, np.full(size, np.nan))[part] = values
    return {row: _over_seeds(row, seeds, resamples) for row, seeds in by_seed.items()}


def _over_seeds(row: str, seeds: Sequence[Mapping[str, Floats]], resamples: int) -> dict[str, Floats]:
    """Mean over resampled seeds. All scores of a row see the same seeds."""
    weights = seed_weights(row, len(seeds), resamples)
    scores = {}
    for name in seeds[0]:
        values = np.stack([seed[name] for seed in seeds], 1)
        scores[name] = (weights[: len(values)] * values).sum(1)
    return scores


def estimate(row: Row, name: str, resampled: Resampled) -> Estimate:
    """A score of a row, with its interval or the reason why there is none."""
    values = row.values(name)
    plain = Estimate(
        mean=rounded(fmean(values)),
        deviation=rounded(stdev(values)) if len(values) > 1 else None,
    )
    drawn, reason = resampled.scores.get(row.id, {}).get(name), resampled.reasons.get(row.id, "")
    if not reason and len(values) < len(row.results):
        reason = f"{len(values)} of {len(row.results)} seeds have this score"
    if not reason and drawn is None:
        reason = "no weighted form of this score is known"
    if reason or drawn is None:
        return plain.model_copy(update={"reason": reason})
    ends = interval(drawn)
    if ends is None:
        return plain.model_copy(update={"reason": f"undefined in more than {UNDEFINED:.0%} of the resamples"})
    return plain.model_copy(update={"low": rounded(ends[0]), "high": rounded(ends[1]), "resamples": len(drawn)})


def differences(rows: Sequence[Row], metric: str, resampled: Resampled) -> list[Difference]:
    """Of every two rows that have an interval on the main metric, as first minus second."""
    judged = [row for row in rows if metric in resampled.scores.get(row.id, {})]
    judged = [row for row in judged if len(row.values(metric)) == len(row.results)]
    found = (_difference(first, second, metric, resampled) for first, second in combinations(judged, 2))
    return [difference for difference in found if difference is not None]


def _difference(first: Row, second: Row, metric: str, resampled: Resampled) -> Difference | None:
    drawn = resampled.scores[first.id][metric] - resampled.scores[second.id][metric]
    means = fmean(first.values(metric)), fmean(second.values(metric))
    noise = 1e-12 * max(abs(means[0]), abs(means[1]), 1e-300)  # of the arithmetic: no difference
    ends = interval(drawn)
    if ends is None:
        return None
    difference, low, high = (0.0 if abs(value) <= noise else rounded(value) for value in (means[0] - means[1], *ends))
    return Difference(
        first=first.id,
        second=second.id,
        difference=difference,
        low=low,
        high=high,
        excludes_zero=low > 0 or high < 0,
    )


def rounded(value: float) -> float:
    """To the digits that a file keeps: enough for any table, few enough to survive another BLAS."""
    if value == 0:
        return 0.0
    return round(value, DIGITS - 1 - floor(log10(abs(value))))
