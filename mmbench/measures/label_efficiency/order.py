"""An order of rows whose every beginning is a subset of the same make-up."""

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]


def nested_order(classes: Whole, generator: np.random.Generator) -> Whole:
    """(N,) row numbers. Among the first n are, of every class, its share of n to within one row or so, and at
    least one row if n is at least the number of classes; which rows these are is drawn.

    Args:
        classes: (N,) of the rows; all the same for a plain random order.
        generator: of the draws.
    """
    key = np.empty(len(classes))
    for each in np.unique(classes):
        rows = generator.permutation(np.flatnonzero(classes == each))
        key[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
        key[rows[0]] = -1.0  # one of each class before all others
    return np.lexsort((generator.permutation(len(classes)), key))
