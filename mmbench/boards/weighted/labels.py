"""Weighted scores of hard decisions and of probabilities: classification and multilabel tasks."""

from collections.abc import Collection

import numpy as np

from mmbench.boards.weighted.ranking import ranking_scores
from mmbench.boards.weighted.sums import Array, Floats, Ints, column_totals, log_loss, means, ratio, totals

RANKED = frozenset({"auroc", "average_precision"})


def class_scores(prediction: Array, target: Array, weights: Floats, names: Collection[str]) -> dict[str, Floats]:
    """Classification: target (N,) classes, prediction (N,K) probabilities."""
    classes = prediction.shape[1]
    scores: dict[str, Floats] = {}
    if set(names) & {"accuracy", "balanced_accuracy", "macro_f1", "weighted_f1"}:
        hit, predicted, support = confusion(target.astype(np.int64), prediction.argmax(1), classes, weights)
        total = support.sum(0)
        f1 = f1_scores(hit, predicted, support)
        scores["accuracy"] = hit.sum(0) / total
        scores["balanced_accuracy"] = ratio(hit, support, 0.0).sum(0) / (support > 0).sum(0)
        scores["macro_f1"] = f1.mean(0)
        scores["weighted_f1"] = (f1 * support).sum(0) / total
    if "nll" in names:
        share = prediction[np.arange(len(target)), target] / prediction.sum(1)
        scores["nll"] = means(log_loss(share)[:, None], weights)[0]
    if RANKED & set(names):
        judged = [1] if classes == 2 else range(classes)  # class 1 of two; else each against the rest
        scores |= _mean_over([(prediction[:, c], target == c) for c in judged], weights, names)
    return {name: scores[name] for name in names if name in scores}


def label_scores(prediction: Array, target: Array, weights: Floats, names: Collection[str]) -> dict[str, Floats]:
    """Multilabel: target (N,L) of 0/1, prediction (N,L) probabilities, decided at one half."""
    true, yes = target > 0.5, prediction > 0.5
    scores: dict[str, Floats] = {}
    if {"macro_f1", "micro_f1"} & set(names):
        hit, predicted, support = (column_totals(chosen, weights) for chosen in (true & yes, yes, true))
        scores["macro_f1"] = f1_scores(hit, predicted, support).mean(0)
        scores["micro_f1"] = f1_scores(hit.sum(0), predicted.sum(0), support.sum(0))
    sums = {
        "exact_match": (true == yes).all(1),
        "hamming": (true != yes).mean(1),
        "nll": log_loss(np.where(true, prediction, 1 - prediction)).mean(1),
    }
    wanted = [name for name in sums if name in names]
    if wanted:
        found = means(np.stack([sums[name] for name in wanted], 1).astype(np.float64), weights)
        scores |= dict(zip(wanted, found, strict=True))
    if RANKED & set(names):
        labels = [(prediction[:, k], true[:, k]) for k in range(target.shape[1])]
        scores |= _mean_over(labels, weights, names)
    return {name: scores[name] for name in names if name in scores}


def confusion(target: Ints, decided: Ints, classes: int, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """(K,R) weights of hits, of decisions and of true members, by class."""
    pairs, cell = np.unique(target * classes + decided, return_inverse=True)
    weight = totals(cell, len(pairs), weights)
    true, guess = np.divmod(pairs, classes)
    hit = totals(np.where(true == guess, true, -1), classes, weight)
    return hit, totals(guess, classes, weight), totals(true, classes, weight)


def f1_scores(hit: Floats, predicted: Floats, support: Floats) -> Floats:
    """2 TP / (2 TP + FP + FN), 0 where nothing was decided nor true."""
    return ratio(2 * hit, predicted + support, 0.0)


def _mean_over(judged: list[tuple[Array, Array]], weights: Floats, names: Collection[str]) -> dict[str, Floats]:
    """AUROC and average precision, averaged over classes or labels."""
    sums: dict[str, Floats] = {}
    for score, positive in judged:
        for name, value in ranking_scores(score, positive, weights, RANKED & set(names)).items():
            sums[name] = sums[name] + value if name in sums else value
    return {name: total / len(judged) for name, total in sums.items()}
