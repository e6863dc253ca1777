"""Whether two spaces have one geometry: debiased linear CKA and held-out CCA. Widths may differ."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular, svd

from mmbench.measures.matching.similarity import deviation
from mmbench.measures.subject import Array

Index = NDArray[np.int64]
RIDGE = 1e-3  # of the mean variance of a feature
DIRECTIONS = 10
RANK = 1e-10  # variance of a direction, against the largest, below which it is rounding


def linear_cka(first: Array, second: Array) -> float:
    """Debiased linear CKA of (N,d) and (N,e), N ≥ 4: in [−1,1], 0 in expectation for independent spaces.

    Kornblith et al. 2019 with the unbiased HSIC of Song et al. 2012. 0 if either space is constant.
    """
    a, b = (deviation(z, z.mean(0)) for z in (first, second))
    if not (a.any() and b.any()):
        return 0.0
    own = unbiased_hsic(a, a), unbiased_hsic(b, b)
    return float(unbiased_hsic(a, b) / np.sqrt(own[0] * own[1])) if min(own) > 0 else 0.0


def unbiased_hsic(a: Array, b: Array) -> float:
    """HSIC₁ of the linear kernels K = aaᵀ and L = bbᵀ with zero diagonals, without making them (N×N).

    [tr KL + ΣK·ΣL/((N−1)(N−2)) − 2/(N−2)·1ᵀKL1]/(N(N−3)), N ≥ 4 (Song et al. 2012, eq. 5).
    """
    n = len(a)
    k, m = (np.einsum("nd,nd->n", z, z) for z in (a, b))
    rows_k, rows_m = a @ a.sum(0) - k, b @ b.sum(0) - m
    trace = np.square(a.T @ b).sum() - k @ m
    whole = rows_k.sum() * rows_m.sum() / ((n - 1) * (n - 2))
    return float((trace + whole - 2 / (n - 2) * (rows_k @ rows_m)) / (n * (n - 3)))


def held_out_cca(first: Array, second: Array, order: Index) -> float:
    """Mean correlation of the leading pairs of canonical directions, on rows that did not choose them.

    Directions are fitted on the first half of ``order``, with 1e-3 of the mean variance added to each
    covariance; their number is the least of 10, the ranks of both spaces and the rows of that half
    less one. A direction that is constant on the other half counts as 0, and so does a constant space.

    Args:
        first, second: (N,d) and (N,e), N ≥ 6.
        order: (N,), a permutation.
    """
    half = len(order) // 2
    fit, held = order[:half], order[half:]
    means = [z[fit].mean(0) for z in (first, second)]
    a, b = (deviation(z[fit], mean) for z, mean in zip((first, second), means, strict=True))
    if not (a.any() and b.any()):
        return 0.0
    (root_a, rank_a), (root_b, rank_b) = (_root(z) for z in (a, b))
    cross = solve_triangular(root_a, a.T @ b / half, lower=True)
    u, _, vt = svd(solve_triangular(root_b, cross.T, lower=True).T)
    k = min(DIRECTIONS, rank_a, rank_b, half - 1)
    x = deviation(first[held], means[0]) @ solve_triangular(root_a.T, u[:, :k])
    y = deviation(second[held], means[1]) @ solve_triangular(root_b.T, vt[:k].T)
    return float(_correlations(x, y).mean())


def _root(a: Array) -> tuple[Array, int]:
    """Lower Cholesky factor of the covariance with its ridge, and the rank without it."""
    covariance = a.T @ a / len(a)
    variance = np.linalg.eigvalsh(covariance)
    ridge = RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    return cholesky(covariance + ridge, lower=True), int((variance > RANK * variance[-1]).sum())


def _correlations(x: Array, y: Array) -> Array:
    """(k,) of columns; 0 where one is constant."""
    x, y = x - x.mean(0), y - y.mean(0)
    size = np.sqrt((x * x).sum(0) * (y * y).sum(0))
    return np.asarray(np.divide((x * y).sum(0), size, out=np.zeros_like(size), where=size > 0))
