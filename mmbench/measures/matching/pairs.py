"""Paired against unpaired: the matching score MM, Match-AUC, and what MM is without any matching."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mmbench.measures.subject import Array

Index = NDArray[np.int64]
COLLAPSE = 1e-9  # unpaired similarity this close to 1 leaves nothing to tell pairs by
TIE = 1e-9  # similarities this close are equal


def matching_score(paired: float, unpaired: float) -> float:
    """MM = (S_p − S_u)/(1 − S_u) of mean similarities in [0,1]: 0 at chance, 1 where all pairs are identical.

    Collapse (S_u > 1 − 1e-9) gives 0.
    """
    return 0.0 if unpaired > 1 - COLLAPSE else (paired - unpaired) / (1 - unpaired)


def cosine_matching(cosine: Array) -> float:
    """MM of s = (1 + cos)/2, unpaired being all pairs i ≠ j, from (N,N) cosines."""
    n, paired = len(cosine), float(np.trace(cosine))
    unpaired = (float(cosine.sum()) - paired) / (n * (n - 1))
    return matching_score((1 + paired / n) / 2, (1 + unpaired) / 2)


def deranged_matching(cosine: Array, orders: Sequence[Index]) -> Array:
    """(D,) cosine MM with every first paired with a second not its own: MM's chance level.

    Args:
        cosine: (N,N).
        orders: D permutations of the rows; each row gets the second of the next row in that order.
    """
    n, total = len(cosine), float(cosine.sum())
    sums = [float(cosine[order, np.roll(order, -1)].sum()) for order in orders]
    means = [((1 + s / n) / 2, (1 + (total - s) / (n * (n - 1))) / 2) for s in sums]
    return np.array([matching_score(paired, unpaired) for paired, unpaired in means])


def match_auc(cosine: Array) -> float:
    """P(paired > unpaired) + ½P(equal), over all paired and all unpaired cosines (N,N)."""
    unpaired = np.sort(cosine[~np.eye(len(cosine), dtype=bool)])
    paired = cosine.diagonal()
    below = np.searchsorted(unpaired, paired - TIE, "left")
    not_above = np.searchsorted(unpaired, paired + TIE, "right")
    return float((below + not_above).mean() / 2 / len(unpaired))


def derangements(n: int, rng: np.random.Generator, most: int) -> list[Index]:
    """At most ``most`` ways to pair every row with another, no two of which share a pair.

    With each, its inverse is there too, so that first and second may change places. All n − 1 shifts
    of a random order, if they are no more than ``most``.
    """
    order = rng.permutation(n)
    shifts = rng.permutation(n // 2)[: max(most // 2, 1)] + 1
    found = []
    for shift in np.unique(np.concatenate([shifts, n - shifts])):
        partner = np.empty(n, dtype=np.int64)
        partner[order] = np.roll(order, -shift)
        found.append(partner)
    return found
