"""Weighted sums over test rows: what all scores are made of."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EPSILON = float(np.finfo(np.float64).eps)  # scikit-learn's clip of a probability in float64


def totals(cell: Ints, cells: int, weights: Floats) -> Floats:
    """(C,R): the weight in each cell. Rows with a negative cell count nowhere.

    A sparse (C,N) indicator times the weights, so that each row is read once however many cells.
    """
    order = np.argsort(cell, kind="stable")
    order = order[np.searchsorted(cell[order], 0) :]
    start = np.concatenate([[0], np.cumsum(np.bincount(cell[order], minlength=cells))])
    indicator = csr_array((np.ones(len(order)), order, start), shape=(cells, len(cell)))
    return np.asarray(indicator @ weights, dtype=np.float64)


def column_totals(values: Array, weights: Floats) -> Floats:
    """(K,R): weighted sum of each column of (N,K), which may be a mask.

    A sparse product, since it sums in one order whatever the machine: BLAS splits such thin products
    over threads, which is slower on a busy machine and changes the last digits.
    """
    return np.asarray(csr_array(values.T.astype(np.float64)) @ weights, dtype=np.float64)


def means(values: Floats, weights: Floats) -> Floats:
    """(K,R): weighted mean of each column of (N,K)."""
    mean: Floats = column_totals(values, weights) / weights.sum(0)
    return mean


def ratio(numerator: Floats, denominator: Floats, empty: float) -> Floats:
    """Their quotient; ``empty`` where the denominator is zero."""
    quotient: Floats = np.full(numerator.shape, empty)
    np.divide(numerator, denominator, out=quotient, where=denominator != 0)
    return quotient


def log_loss(probability: Floats) -> Floats:
    """-log p of what came true, clipped as scikit-learn's ``log_loss`` does in float64."""
    return -np.log(np.clip(probability, EPSILON, 1 - EPSILON))
