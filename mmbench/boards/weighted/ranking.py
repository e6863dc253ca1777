"""Weighted scores of how well a number separates positives from negatives: sort once, then sums."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from mmbench.boards.weighted.sums import Array, Floats, totals


@dataclass(frozen=True)
class Curve:
    """Weights along the ranking, at each distinct score that a positive has, B of them, rising.

    Between two such scores only negatives lie, so nothing of a ROC or precision-recall curve is lost.

    Attributes:
        positive, tied: (B,R) weight of the positives and of the negatives with exactly this score.
        below: (B,R) weight of negatives with a lower score.
        positives, negatives: (R,) weight of all.
    """

    positive: Floats
    tied: Floats
    below: Floats
    positives: Floats
    negatives: Floats


def ranking_scores(score: Array, positive: Array, weights: Floats, names: Collection[str]) -> dict[str, Floats]:
    """{name: (R,)} of ``auroc``, ``average_precision`` and ``eer``; NaN where a side has no weight."""
    curve = _curve(score, positive, weights)
    scores = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        if "auroc" in names:
            scores["auroc"] = _auroc(curve)
        if "average_precision" in names:
            scores["average_precision"] = _average_precision(curve)
        if "eer" in names:
            scores["eer"] = _equal_error_rate(curve)
    return scores


def _curve(score: Array, positive: Array, weights: Floats) -> Curve:
    """Each row goes to one of 3B + 1 cells: positives at a score, negatives tied with them,
    negatives in a gap before, between and after them."""
    at = np.unique(score[positive])
    size = len(at)
    place = np.searchsorted(at, score)  # positives' scores that lie below
    tied = at[np.minimum(place, size - 1)] == score if size else np.zeros(len(score), dtype=bool)
    cell = np.where(positive, place, np.where(tied, size + place, 2 * size + place))
    weight = totals(cell, 3 * size + 1, weights)
    on, tie, gap = weight[:size], weight[size : 2 * size], weight[2 * size :]
    below = np.cumsum(gap[:-1] + tie, axis=0) - tie
    return Curve(on, tie, below, on.sum(0), tie.sum(0) + gap.sum(0))


def _auroc(curve: Curve) -> Floats:
    """P(positive > negative) + P(tie) / 2: the Mann-Whitney statistic."""
    wins = np.einsum("br,br->r", curve.positive, curve.below + curve.tied / 2)
    area: Floats = wins / (curve.positives * curve.negatives)
    return area


def _average_precision(curve: Curve) -> Floats:
    """Sum over thresholds of the step in recall times the precision there."""
    true = np.cumsum(curve.positive[::-1], axis=0)[::-1]
    false = curve.negatives - curve.below
    precision = true / np.maximum(true + false, np.finfo(np.float64).tiny)
    area: Floats = np.einsum("br,br->r", curve.positive, precision) / curve.positives
    return np.where(curve.negatives > 0, area, np.nan)


def _equal_error_rate(curve: Curve) -> Floats:
    """Where false accepts equal false rejects, the ROC curve read linearly between its points."""
    size, resamples = curve.positive.shape
    false = np.zeros((2 * size + 2, resamples))
    true = np.zeros((2 * size + 2, resamples))
    accepted = np.cumsum(curve.positive[::-1], axis=0)
    above = (curve.negatives - curve.below)[::-1]
    false[1:-1:2], false[2:-1:2], false[-1] = above - curve.tied[::-1], above, curve.negatives
    true[3:-1:2], true[2:-1:2], true[-1] = accepted[:-1], accepted, curve.positives
    false /= curve.negatives
    difference = false - 1 + true / curve.positives  # rises from -1 to 1
    after = np.maximum((difference < 0).sum(0), 1)
    column = np.arange(resamples)
    low, high = difference[after - 1, column], difference[after, column]
    start, end = false[after - 1, column], false[after, column]
    crossing: Floats = start - low * (end - start) / (high - low)
    return crossing
