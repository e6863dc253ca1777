"""Temperature scaling (Guo et al. 2017, On Calibration of Modern Neural Networks, arXiv:1706.04599, §4.2)."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_expit, log_softmax, softmax

Array = NDArray[np.float64]

LEAST = float(np.finfo(np.float64).eps)  # probabilities are this far from 0 and 1, as in the task's NLL
LOW, HIGH = 0.05, 20.0  # bounds of a temperature
PULL, FLAT = 1e-6, 1e-5  # nats: of the penalty, and a difference that is none


def logits_of(probability: Array, exclusive: bool) -> Array:
    """(N,K) logits of probabilities: their logarithms if classes are exclusive, log p/(1−p) otherwise."""
    kept = probability.clip(LEAST, 1.0 if exclusive else 1 - LEAST)
    return np.asarray(np.log(kept) if exclusive else np.log(kept) - np.log1p(-kept))


def probabilities_of(logits: Array, exclusive: bool) -> Array:
    """(N,K) probabilities of logits."""
    return np.asarray(softmax(logits, axis=1) if exclusive else expit(logits))


def nll(logits: Array, target: NDArray[np.int64] | Array, exclusive: bool) -> float:
    """Negative log-likelihood in nats, the mean over N rows (over N*K labels if they are not exclusive).

    Args:
        logits: (N,K).
        target: (N,) classes or (N,K) labels.
    """
    if exclusive:
        found = log_softmax(logits, axis=1)[np.arange(len(logits)), target.astype(np.int64)]
    else:
        found = log_expit(np.where(target > 0.5, logits, -logits))
    return max(-float(np.mean(found)), 0.0)


def brier(probability: Array, target: NDArray[np.int64] | Array, exclusive: bool) -> float:
    """Brier score: the squared error summed over exclusive classes (0 to 2), or averaged over labels (0 to 1)."""
    if exclusive:
        happened = np.eye(probability.shape[1])[target.astype(np.int64)]
        return float(((probability - happened) ** 2).sum(1).mean())
    return float(((probability - target) ** 2).mean())


def fit_temperature(logits: Array, target: NDArray[np.int64] | Array, exclusive: bool) -> tuple[float, bool]:
    """The T from ``LOW`` to ``HIGH`` for which ``logits / T`` has the least NLL, one for all classes and labels.

    The NLL is convex in 1/T. Where it is flat (no mistake to learn from, or no information), the
    penalty ``PULL`` (log T)² takes the T nearest to 1.

    Returns:
        T, and whether the labels determine it: the NLL at both bounds is higher.
    """

    def cost(log_t: float) -> float:
        return nll(logits / math.exp(log_t), target, exclusive)

    bounds = (math.log(LOW), math.log(HIGH))
    found = minimize_scalar(
        lambda log_t: cost(log_t) + PULL * log_t**2, bounds=bounds, method="bounded", options={"xatol": 1e-6}
    )
    log_t = float(found.x)
    return math.exp(log_t), min(map(cost, bounds)) > cost(log_t) + FLAT
