"""Task scores, computed by scikit-learn and SciPy: how good the predictions are."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn import metrics

from mmbench.measures.evaluation import Evaluation

Array = NDArray[Any]
Lazy = Callable[[], float]  # a score, computed when it is wanted


def task_scores(evaluation: Evaluation) -> dict[str, float]:
    """All scores of the task's kind, by the names of ``mmbench.core.scores``.

    A score that the split does not define (AUROC where a class is absent, a correlation with a
    constant, R² of a constant) is left out.
    """
    found = {name: _value(score) for name, score in _SCORES[evaluation.task.kind](evaluation).items()}
    return {name: value for name, value in found.items() if np.isfinite(value)}


def task_score(evaluation: Evaluation, name: str) -> float:
    """One of them; NaN where it is not defined."""
    score = _SCORES[evaluation.task.kind](evaluation).get(name)
    value = np.nan if score is None else _value(score)
    return value if np.isfinite(value) else np.nan


def _value(score: Lazy) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is not defined is told by its absence
        return float(score())


def _classification(evaluation: Evaluation) -> dict[str, Lazy]:
    p, y = evaluation.prediction, evaluation.target
    classes = np.arange(evaluation.task.outputs)
    best = p.argmax(1)
    scores: dict[str, Lazy] = {
        "accuracy": lambda: metrics.accuracy_score(y, best),
        "balanced_accuracy": lambda: metrics.balanced_accuracy_score(y, best),
        "macro_f1": lambda: metrics.f1_score(y, best, labels=classes, average="macro", zero_division=0),
        "weighted_f1": lambda: metrics.f1_score(y, best, labels=classes, average="weighted", zero_division=0),
        "nll": lambda: metrics.log_loss(y, p / p.sum(1, keepdims=True), labels=classes),
    }
    if len(np.unique(y)) == len(classes):
        scores["auroc"] = lambda: _binary_or_rest(metrics.roc_auc_score, p, y)
        scores["average_precision"] = lambda: _binary_or_rest(metrics.average_precision_score, p, y)
    return scores


def _binary_or_rest(score: Callable[[Array, Array], float], p: Array, y: Array) -> float:
    """Of class 1 with two classes; with more, the mean over classes, each against the rest."""
    classes = [1] if p.shape[1] == 2 else range(p.shape[1])
    return float(np.mean([score(y == c, p[:, c]) for c in classes]))


def _labels(evaluation: Evaluation) -> dict[str, Lazy]:
    p, y = evaluation.prediction, evaluation.target.astype(np.int64)
    yes = (p > 0.5).astype(np.int64)
    labels = range(y.shape[1])  # one by one: of a single one, scikit-learn would judge its absence as well
    scores: dict[str, Lazy] = {
        "macro_f1": lambda: np.mean([metrics.f1_score(y[:, k], yes[:, k], zero_division=0) for k in labels]),
        "micro_f1": lambda: metrics.f1_score(y.ravel(), yes.ravel(), zero_division=0),
        "hamming": lambda: metrics.hamming_loss(y, yes),
        "exact_match": lambda: metrics.accuracy_score(y, yes),
        "nll": lambda: np.mean([metrics.log_loss(y[:, k], p[:, k], labels=[0, 1]) for k in labels]),
    }
    if (y.min(0) < y.max(0)).all():
        scores["auroc"] = lambda: metrics.roc_auc_score(y, p, average="macro")
        scores["average_precision"] = lambda: metrics.average_precision_score(y, p, average="macro")
    return scores


def _detection(evaluation: Evaluation) -> dict[str, Lazy]:
    """Anomaly and verification: one output, a score for being the positive."""
    p, y = evaluation.prediction[:, 0], evaluation.target[:, 0].astype(np.int64)
    scores: dict[str, Lazy] = {
        "accuracy": lambda: metrics.accuracy_score(y, p > 0.5),
        "balanced_accuracy": lambda: metrics.balanced_accuracy_score(y, p > 0.5),
        "nll": lambda: metrics.log_loss(y, p, labels=[0, 1]),
    }
    if y.min() < y.max():
        scores["auroc"] = lambda: metrics.roc_auc_score(y, p)
        scores["average_precision"] = lambda: metrics.average_precision_score(y, p)
        scores["eer"] = lambda: equal_error_rate(p, evaluation.target[:, 0])
    return scores


def equal_error_rate(score: Array, positive: Array) -> float:
    """Where the false accept and the false reject rate cross, the ROC curve read linearly between
    its points."""
    false_accept, true_accept, _ = metrics.roc_curve(positive, score)
    difference = false_accept - (1 - true_accept)  # rises from -1 to 1 along the curve
    return float(np.interp(0.0, difference, false_accept))


def _regression(evaluation: Evaluation) -> dict[str, Lazy]:
    p, y = evaluation.prediction, evaluation.target
    outputs = range(p.shape[1])
    return {
        "rmse": lambda: metrics.root_mean_squared_error(y.ravel(), p.ravel()),
        "mae": lambda: metrics.mean_absolute_error(y, p),
        "r2": lambda: metrics.r2_score(y, p, force_finite=False),
        "pearson": lambda: np.mean([np.corrcoef(y[:, k], p[:, k])[0, 1] for k in outputs]),
        "spearman": lambda: np.mean([spearmanr(y[:, k], p[:, k]).statistic for k in outputs]),
    }


_SCORES: dict[str, Callable[[Evaluation], dict[str, Lazy]]] = {
    "classification": _classification,
    "multilabel": _labels,
    "verification": _detection,
    "anomaly": _detection,
    "regression": _regression,
}
