"""Weighted scores of tasks with one output and a yes or no: verification and anomaly."""

from collections.abc import Collection

import numpy as np

from mmbench.boards.weighted.labels import confusion
from mmbench.boards.weighted.ranking import ranking_scores
from mmbench.boards.weighted.sums import Array, Floats, log_loss, means, ratio


def detection_scores(prediction: Array, target: Array, weights: Floats, names: Collection[str]) -> dict[str, Floats]:
    """Target (N,1) of 0/1, prediction (N,1) a probability of the positive, decided at one half."""
    p, positive = prediction[:, 0], target[:, 0] > 0.5
    scores: dict[str, Floats] = {}
    if {"accuracy", "balanced_accuracy"} & set(names):
        hit, _, support = confusion(positive.astype(np.int64), (p > 0.5).astype(np.int64), 2, weights)
        scores["accuracy"] = hit.sum(0) / support.sum(0)
        scores["balanced_accuracy"] = ratio(hit, support, 0.0).sum(0) / (support > 0).sum(0)
    if "nll" in names:
        scores["nll"] = means(log_loss(np.where(positive, p, 1 - p))[:, None], weights)[0]
    if {"auroc", "average_precision", "eer"} & set(names):
        scores |= ranking_scores(p, positive, weights, names)
    return {name: scores[name] for name in names if name in scores}
