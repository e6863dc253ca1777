"""Which subsets of the modalities are evaluated, and means over all of them.

Up to ``EXACT`` modalities all are. Beyond, those of one modality and those that lack one always are, and of
every other size a random choice. The means are stratified by size: each size counts with its true weight,
so that they are unbiased, and exact where every subset is evaluated.
"""

from math import comb

import numpy as np
from scipy.stats import binom

from mmbench.measures.coalitions import Coalition, Values, coalitions_of

EXACT = 6  # modalities up to which every subset is evaluated


def chosen(names: tuple[str, ...], most: int, generator: np.random.Generator) -> list[Coalition]:
    """Non-empty proper subsets, by size.

    Args:
        names: of the M modalities, at least two.
        most: subsets where M is more than ``EXACT``; at least 3M, so that every size has one.
        generator: draws the choice.
    """
    count = len(names)
    if count <= EXACT:
        return coalitions_of(names, *range(1, count))
    allotted = _allotted(count, most)
    some: list[Coalition] = []
    for size in range(1, count):
        every = coalitions_of(names, size)
        some += [every[i] for i in np.sort(generator.choice(len(every), allotted[size], replace=False))]
    return some


def _allotted(count: int, most: int) -> dict[int, int]:
    """{size: subsets}: all of sizes 1 and M−1, and the same number of each other size, as far as there are."""
    allotted = {1: count, count - 1: count}
    left = most - 2 * count
    inner = sorted(range(2, count - 1), key=lambda size: comb(count, size))  # the small ones fill up first
    for i, size in enumerate(inner):
        allotted[size] = min(left // (len(inner) - i), comb(count, size))
        left -= allotted[size]
    return allotted


def means_by_size(values: Values, count: int) -> list[float]:
    """Mean v(S) over the evaluated subsets of 0 to M modalities; there is one of each size at least."""
    return [float(np.mean([v for subset, v in values.items() if len(subset) == size])) for size in range(count + 1)]


def mean_of_proper(by_size: list[float]) -> float:
    """Mean over all non-empty proper subsets, from the means by size."""
    count = len(by_size) - 1
    weights = [comb(count, size) for size in range(1, count)]
    return float(np.average(by_size[1:count], weights=weights))


def mixture(by_size: list[float], rate: float) -> float:
    """Σ_S P(S) v(S) where each of the M modalities is missing with probability ``rate``, independently:
    P(S) = (1−rate)^|S| rate^(M−|S|)."""
    count = len(by_size) - 1
    return float(binom.pmf(np.arange(count + 1), count, 1 - rate) @ np.array(by_size))
