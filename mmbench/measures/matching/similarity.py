"""How like two encodings are: cosine, Kullback–Leibler and Jensen–Shannon divergence of posteriors."""

import numpy as np
from scipy.special import entr, expit, logit, softmax

from mmbench.measures.subject import Array

ROUNDING = 1e-6  # what single precision leaves of a constant encoding, as a share of its length
CLIP = 1e-12  # least probability


def deviation(z: Array, mean: Array) -> Array:
    """(N,d) from the mean (d,); exactly zero where it is no more than rounding."""
    away = z - mean
    real = np.linalg.norm(away, axis=1, keepdims=True) > ROUNDING * np.linalg.norm(mean)
    return np.asarray(np.where(real, away, 0.0))


def settled(z: Array) -> Array:
    """(N,d) the same, where a row that differs from the mean by no more than rounding is the mean: constant
    encodings are exactly so."""
    mean = z.mean(0)
    return np.asarray(mean + deviation(z, mean))


def unit(z: Array) -> Array:
    """(N,d) rows of length 1; a zero row stays zero, and its cosine with everything is 0."""
    length = np.linalg.norm(z, axis=1, keepdims=True)
    return np.asarray(np.divide(z, length, out=np.zeros_like(z), where=length > 0))


def cosines(first: Array, second: Array) -> Array:
    """(N,N) cosines of unit rows, those of ``first`` down."""
    return np.clip(first @ second.T, -1.0, 1.0)


def as_logits(probability: Array, labels: bool) -> Array:
    """(N,K) logits of predictions: log-probabilities of classes, log-odds of ``labels``; clipped at 1e-12."""
    if labels:
        return np.asarray(logit(np.clip(probability, CLIP, 1 - CLIP)))
    return np.asarray(np.log(np.clip(probability, CLIP, None)))


def posteriors(logits: Array, labels: bool) -> Array:
    """(N,K) distributions from logits, at temperature 1 and at least 1e-12 everywhere.

    L ``labels`` make one distribution over 2L outcomes, a label drawn at random and its value, so that a
    divergence is the mean of the labels' own.
    """
    if labels:
        yes = np.asarray(expit(logits))
        p = np.concatenate([yes, 1 - yes], 1) / logits.shape[1]
    else:
        p = np.asarray(softmax(logits, axis=1))
    p = np.clip(p, CLIP, None)
    return np.asarray(p / p.sum(1, keepdims=True))


def kl_divergence(p: Array, q: Array) -> Array:
    """(N,) KL(p‖q) in nats, row by row, of distributions that are nowhere 0."""
    return np.asarray(np.maximum(np.einsum("nk,nk->n", p, np.log(p) - np.log(q)), 0.0))


def js_divergence(p: Array, q: Array) -> Array:
    """(N,) Jensen–Shannon divergence in bits, row by row; SciPy's ``jensenshannon`` is its root."""
    nats = entr((p + q) / 2).sum(1) - (entr(p).sum(1) + entr(q).sum(1)) / 2
    return np.asarray(np.clip(nats / np.log(2), 0.0, 1.0))


def kl_similarity(p: Array, q: Array) -> Array:
    """(N,) e^{−J}, J the mean of KL(p‖q) and KL(q‖p)."""
    nats = np.einsum("nk,nk->n", p - q, np.log(p) - np.log(q)) / 2
    return np.asarray(np.exp(-np.maximum(nats, 0.0)))


def js_similarity(p: Array, q: Array) -> Array:
    """(N,) 1 − Jensen–Shannon divergence in bits."""
    return 1 - js_divergence(p, q)
