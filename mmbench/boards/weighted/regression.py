"""Weighted scores of regressions: target and prediction (N,K) in the target's own units."""

from collections.abc import Collection

import numpy as np

from mmbench.boards.weighted.sums import Array, Floats, means, totals


def regression_scores(prediction: Array, target: Array, weights: Floats, names: Collection[str]) -> dict[str, Floats]:
    """Errors over all outputs; R² and correlations averaged over outputs."""
    p, y = prediction, target.astype(np.float64)
    outputs = range(y.shape[1])
    scores: dict[str, Floats] = {}
    if {"rmse", "mae"} & set(names):
        errors = np.stack([((y - p) ** 2).mean(1), np.abs(y - p).mean(1)], 1)
        squared, absolute = means(errors, weights)
        scores["rmse"], scores["mae"] = np.sqrt(squared), absolute
    with np.errstate(divide="ignore", invalid="ignore"):
        if {"r2", "pearson"} & set(names):
            moments = [_moments(y[:, k], p[:, k], weights) for k in outputs]
            scores["r2"] = np.mean([_r2(*moment) for moment in moments], axis=0)
            scores["pearson"] = np.mean([_pearson(*moment[1:]) for moment in moments], axis=0)
        if "spearman" in names:
            scores["spearman"] = np.mean([_spearman(y[:, k], p[:, k], weights) for k in outputs], axis=0)
    return {name: scores[name] for name in names if name in scores}


def _moments(y: Floats, p: Floats, weights: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Mean squared error, variances of target and prediction, covariance: (R,) each.

    Centred on the unweighted means first, so that the variances lose no digits.
    """
    error, y, p = (y - p) ** 2, y - y.mean(), p - p.mean()
    squared, my, mp, myy, mpp, myp = means(np.stack([error, y, p, y * y, p * p, y * p], 1), weights)
    return squared, myy - my**2, mpp - mp**2, myp - my * mp


def _r2(squared: Floats, vy: Floats, _vp: Floats, _covariance: Floats) -> Floats:
    """1 - error / variance; of a constant target 1 if it is met exactly, else 0, as scikit-learn has it."""
    constant = vy <= 1e-12 * vy.max(initial=0.0)
    return np.where(constant, (squared == 0).astype(np.float64), 1 - squared / np.where(constant, 1.0, vy))


def _pearson(vy: Floats, vp: Floats, covariance: Floats) -> Floats:
    correlation: Floats = covariance / np.sqrt(np.where(np.minimum(vy, vp) > 0, vy * vp, np.nan))
    return correlation


def _spearman(y: Floats, p: Floats, weights: Floats) -> Floats:
    """Pearson's correlation of ranks; a row of weight w stands for w rows, tied ones share their mean rank."""
    half = weights.sum(0) / 2
    (ry, vy), (rp, vp) = (_ranks(values, weights, half) for values in (y, p))
    correlation: Floats = np.einsum("nr,nr,nr->r", weights, ry, rp) / np.sqrt(np.where(vy * vp > 0, vy * vp, np.nan))
    return correlation


def _ranks(values: Floats, weights: Floats, half: Floats) -> tuple[Floats, Floats]:
    """(N,R) ranks about their mean, and (R,) the weighted sum of their squares."""
    distinct, place = np.unique(values, return_inverse=True)
    weight = totals(place, len(distinct), weights)
    rank = np.cumsum(weight, axis=0) - weight / 2 - half
    return rank[place], np.einsum("br,br,br->r", weight, rank, rank)
