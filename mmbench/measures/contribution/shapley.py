"""Shapley values and interactions of modalities, from the values of coalitions.

φ_m = Σ_{S∌m} |S|!(M−|S|−1)!/M! [v(S∪m) − v(S)] (Shapley 1953): the mean, over all orders in which the modalities
can join, of what m adds to those before it. Up to ``EXACT`` modalities it is computed; beyond, it is
estimated from random orders and their reverses (antithetic pairs; Mitchell et al. 2022, JMLR 23:43).
"""

from collections.abc import Sequence
from itertools import accumulate, combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from mmbench.measures.coalitions import Coalition, Values, coalitions_of

EXACT = 8  # modalities up to which all coalitions are evaluated

Order = tuple[str, ...]


def shapley(values: Values, names: Sequence[str]) -> dict[str, float]:
    """{m: φ_m}, from the values of all coalitions."""
    count = len(names)
    found = dict.fromkeys(names, 0.0)
    for coalition in coalitions_of(names, *range(count)):
        weight = 1 / (count * comb(count - 1, len(coalition)))
        for name in names:
            if name not in coalition:
                found[name] += weight * (values[coalition | {name}] - values[coalition])
    return found


def draw_orders(names: Sequence[str], orders: int, generator: np.random.Generator) -> list[Order]:
    """Random orders, each followed by its reverse; one more where ``orders`` is odd."""
    drawn = [tuple(generator.permutation(list(names)).tolist()) for _ in range((orders + 1) // 2)]
    return [order for one in drawn for order in (one, one[::-1])]


def prefixes(order: Order) -> list[Coalition]:
    """The coalitions that arise as the modalities join in this order, from none to all."""
    return list(accumulate(order, lambda before, name: before | {name}, initial=frozenset[str]()))


def sampled_shapley(values: Values, orders: Sequence[Order]) -> tuple[dict[str, float], dict[str, float]]:
    """{m: φ_m} and their standard errors, from two or more pairs of ``draw_orders``.

    Args:
        values: of the prefixes of all orders.
        orders: as drawn.
    """
    names = sorted(orders[0])
    added = np.array([[_added(values, order)[name] for name in names] for order in orders])
    pairs: NDArray[np.float64] = added.reshape(-1, 2, len(names)).mean(1)  # the two of a pair depend on each other
    errors = pairs.std(0, ddof=1) / np.sqrt(len(pairs))
    return dict(zip(names, pairs.mean(0).tolist(), strict=True)), dict(zip(names, errors.tolist(), strict=True))


def _added(values: Values, order: Order) -> dict[str, float]:
    """What each modality adds to those before it."""
    steps = [values[coalition] for coalition in prefixes(order)]
    return {name: after - before for name, before, after in zip(order, steps, steps[1:], strict=False)}


def interactions(values: Values, names: Sequence[str]) -> dict[tuple[str, str], float]:
    """{(i, j): v(ij) − v(i) − v(j) + v(∅)}: above zero where two modalities give more together than the sum
    of what they give alone (synergy), below where they give the same (redundancy)."""
    alone = {name: values[frozenset({name})] for name in names}
    return {
        (i, j): values[frozenset({i, j})] - alone[i] - alone[j] + values[frozenset()] for i, j in combinations(names, 2)
    }
