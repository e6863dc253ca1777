"""Scores of one view: two modalities' encodings of the same rows, as they are or after the ridge map."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mmbench.measures.matching import geometry
from mmbench.measures.matching.pairs import Index, cosine_matching, deranged_matching, match_auc, matching_score
from mmbench.measures.matching.retrieval import Classes, retrieval
from mmbench.measures.matching.similarity import (
    cosines,
    js_similarity,
    kl_divergence,
    kl_similarity,
    settled,
    unit,
)
from mmbench.measures.matching.spaces import held_out_cca, linear_cka
from mmbench.measures.subject import Array

Side = Literal["first", "second"]
LEAST_CCA = 20  # pairs: with fewer, half of them say little of a correlation


@dataclass(frozen=True)
class View:
    """Encodings to be compared.

    Attributes:
        first, second: (N,d) and (N,e), of the same rows; compared row by row where d = e.
        queries: the modalities whose search for the other is counted.
    """

    first: Array
    second: Array
    queries: tuple[Side, ...]

    @property
    def shared(self) -> bool:
        """Whether the two have one width, so that they can be compared row by row."""
        return bool(self.first.shape[1] == self.second.shape[1])


@dataclass(frozen=True)
class Draws:
    """What is random in a measurement of N pairs.

    Attributes:
        halves: (N,) an order, whose halves are CCA's.
        partners: for KL and Jensen–Shannon, (N,) the second that a first is paired with.
        orders: for the chance level of MM, (N,) permutations.
    """

    halves: Index
    partners: Sequence[Index]
    orders: Sequence[Index]


@dataclass(frozen=True)
class Seen:
    """What one view shows.

    Attributes:
        scores: by name without prefix.
        retrieval: by the modality that is the query.
        unpaired: alignment of pairs that do not belong together; None without a shared width.
        deranged: (D,) MM of such pairs; empty without a shared width.
    """

    scores: dict[str, float]
    retrieval: dict[Side, dict[str, float]]
    unpaired: float | None
    deranged: NDArray[np.float64]


def look(view: View, draws: Draws, classes: Classes | None) -> Seen:
    """All scores of a view but those of posteriors."""
    first, second = unit(settled(view.first)), unit(settled(view.second))
    scores = {
        "cka": linear_cka(view.first, view.second),
        "uniformity": (geometry.uniformity(first) + geometry.uniformity(second)) / 2,
    }
    if len(first) >= LEAST_CCA:
        scores["cca"] = held_out_cca(view.first, view.second, draws.halves)
    if not view.shared:
        return Seen(scores, {}, None, np.empty(0))
    cosine = cosines(first, second)
    scores |= {
        "mm": cosine_matching(cosine),
        "auc": match_auc(cosine),
        "alignment": geometry.alignment(first, second),
        "gap": geometry.modality_gap(first, second),
    }
    found = {side: retrieval(cosine if side == "first" else cosine.T, classes) for side in view.queries}
    unpaired = geometry.unpaired_alignment(first, second)
    return Seen(scores | mean(list(found.values())), found, unpaired, deranged_matching(cosine, draws.orders))


def posterior_scores(p: Array, q: Array, draws: Draws) -> dict[str, float]:
    """MM by KL and by Jensen–Shannon of posteriors (N,K), unpaired being the drawn partners, and both
    one-directional KL of the pairs in nats."""
    found = {"kl_forward": float(kl_divergence(p, q).mean()), "kl_backward": float(kl_divergence(q, p).mean())}
    for name, similarity in (("kl", kl_similarity), ("js", js_similarity)):
        unpaired = np.mean([similarity(p, q[partner]).mean() for partner in draws.partners])
        found[name] = matching_score(float(similarity(p, q).mean()), float(unpaired))
    return found


def mean(of: Sequence[dict[str, float]]) -> dict[str, float]:
    """Of each score that all of them have."""
    names = [name for name in of[0] if all(name in each for each in of)] if of else []
    return {name: float(np.mean([each[name] for each in of])) for name in names}
