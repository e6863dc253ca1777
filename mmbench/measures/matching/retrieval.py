"""Retrieval of one modality by the other: recall, reciprocal rank, median rank, same-class mAP, and their chance.

Ties count by expectation over their orders, so that constant similarities give exactly chance.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mmbench.measures.matching.pairs import TIE
from mmbench.measures.subject import Array

DEPTHS = (1, 5, 10)
BLOCK = 64  # queries at once: their sorted rows stay in the cache
Classes = NDArray[np.int64]


def retrieval(similarity: Array, classes: Classes | None = None) -> dict[str, float]:
    """How well queries find their partners.

    Args:
        similarity: (N,N), queries down; the partner of query i is item i.
        classes: (N,) for ``map``, where all items of the query's class are relevant.
    """
    partner = similarity.diagonal()[:, None]
    before = (similarity > partner + TIE).sum(1)
    tied = (similarity >= partner - TIE).sum(1) - before
    harmonic = _harmonic(len(similarity))
    scores = {f"recall_{k}": float(np.clip((k - before) / tied, 0, 1).mean()) for k in DEPTHS}
    scores["mrr"] = float(((harmonic[before + tied] - harmonic[before]) / tied).mean())
    scores["median_rank"] = float(np.median(before + (tied + 1) / 2))
    if classes is not None:
        scores["map"] = float(average_precision(similarity, classes[:, None] == classes).mean())
    return scores


def average_precision(similarity: Array, relevant: NDArray[np.bool_]) -> Array:
    """(N,) average precision of each query, in expectation over the orders of ties.

    A group of t tied items, r of them relevant, behind g items with b relevant, contributes
    r/t·Σ_{p=g+1}^{g+t} [b + 1 + (p−g−1)(r−1)/(t−1)]/p (McSherry & Najork 2008).

    Args:
        similarity: (N,G), queries down.
        relevant: (N,G), at least one in every row.
    """
    blocks = [slice(start, start + BLOCK) for start in range(0, len(similarity), BLOCK)]
    return np.concatenate([_average_precision(similarity[rows], relevant[rows]) for rows in blocks])


def _average_precision(similarity: Array, relevant: NDArray[np.bool_]) -> Array:
    queries, items = similarity.shape
    order = np.argsort(-similarity, axis=1)
    ranked = np.take_along_axis(similarity, order, 1)
    hits = np.take_along_axis(relevant, order, 1)
    opens = np.ones(ranked.shape, dtype=bool)
    opens[:, 1:] = ranked[:, :-1] - ranked[:, 1:] > TIE
    starts = np.flatnonzero(opens)
    size = np.diff(starts, append=opens.size)
    found = np.add.reduceat(hits.ravel(), starts, dtype=np.int64)
    earlier = np.cumsum(found) - found
    some = np.flatnonzero(found)
    starts, size, found, earlier = starts[some], size[some], found[some], earlier[some]
    row = starts // items
    ahead = starts - row * items
    count = relevant.sum(1)
    earlier -= (np.cumsum(count) - count)[row]
    harmonic = _harmonic(items)
    span = harmonic[ahead + size] - harmonic[ahead]
    more = (found - 1) / np.maximum(size - 1, 1) * (size - (ahead + 1) * span)
    gain = found / size * ((earlier + 1) * span + more)
    return np.asarray(np.bincount(row, gain, queries) / count)


def chance(n: int, classes: Classes | None = None) -> Mapping[str, float]:
    """What random orders of n items give in expectation."""
    harmonic = float(_harmonic(n)[n])
    scores = {f"recall_{k}": min(k / n, 1.0) for k in DEPTHS}
    scores |= {"mrr": harmonic / n, "median_rank": (n + 1) / 2}
    if classes is not None:
        _, of, count = np.unique(classes, return_inverse=True, return_counts=True)
        scores["map"] = float(((harmonic + (count[of] - 1) / max(n - 1, 1) * (n - harmonic)) / n).mean())
    return scores


def _harmonic(n: int) -> Array:
    """(n+1,) H_0 to H_n."""
    return np.concatenate([[0.0], np.cumsum(1 / np.arange(1, n + 1))])
