"""All scores of one pair of modalities, raw and after the ridge map."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmbench.measures.matching.maps import RidgeMap, ridge_map
from mmbench.measures.matching.retrieval import chance
from mmbench.measures.matching.samples import Pair
from mmbench.measures.matching.similarity import deviation, posteriors
from mmbench.measures.matching.views import Draws, Seen, Side, View, look, mean, posterior_scores
from mmbench.measures.subject import Array, Plain

ONE_WAY = ("kl_forward", "kl_backward")  # no scores: they change with the order of the modalities


@dataclass(frozen=True)
class Compared:
    """One pair of modalities.

    Attributes:
        scores: by name on the card.
        chance: levels that depend on the rows, by name on the card.
        deranged: (D,) the headline score of pairs that do not belong together; empty without a map.
        retrieval: by ("raw" or "mapped", which modality is the query).
        facts: what else the table of pairs says.
    """

    scores: dict[str, float]
    chance: dict[str, float]
    deranged: Array
    retrieval: dict[tuple[str, Side], dict[str, float]]
    facts: dict[str, Plain]


def compare(test: Pair, train: Pair | None, draws: Draws, *, heads: bool, labels: bool) -> Compared:
    """Scores of the test rows; the ridge maps are fitted on the train rows.

    Args:
        test, train: the same two modalities. Without train rows there are no mapped scores.
        draws: for the test rows.
        heads: whether logits are those of unimodal heads, else they are the encodings.
        labels: whether such heads predict labels, each with its own probability.
    """
    labels = labels and heads
    views = [look(View(test.first, test.second, ("first", "second")), draws, test.classes)]
    raw = _named(views, _divergences([test.logits], draws, labels), test, "raw")
    raw.facts.update(rows=len(test), train_rows=len(train) if train else 0)
    if train is None:
        return raw
    maps = ridge_map(train.first, train.second), ridge_map(train.second, train.first)
    views = [look(view, draws, test.classes) for view in _mapped(test, *maps)]
    of_logits = (ridge_map(*train.logits), ridge_map(*train.logits[::-1])) if heads else maps
    a, b = test.logits
    mapped_logits = [(of_logits[0](a), b), (a, of_logits[1](b))]
    mapped = _named(views, _divergences(mapped_logits, draws, labels), test, "mapped")
    strengths: dict[str, Plain] = {"ridge_forward": maps[0].strength, "ridge_backward": maps[1].strength}
    return Compared(
        mapped.scores | raw.scores,
        mapped.chance | raw.chance,
        mapped.deranged,
        mapped.retrieval | raw.retrieval,
        raw.facts | mapped.facts | strengths,
    )


def _mapped(test: Pair, forward: RidgeMap, backward: RidgeMap) -> list[View]:
    """Both ways, each in the centred space of its target, where the mapped modality searches the other."""
    return [
        View(forward.centred(test.first), deviation(test.second, forward.target), ("first",)),
        View(deviation(test.first, backward.target), backward.centred(test.second), ("second",)),
    ]


def _divergences(logits: Sequence[tuple[Array, Array]], draws: Draws, labels: bool) -> dict[str, float]:
    """Means over ways to compare; none where widths differ."""
    if any(a.shape[1] != b.shape[1] for a, b in logits):
        return {}
    return mean([posterior_scores(posteriors(a, labels), posteriors(b, labels), draws) for a, b in logits])


def _named(views: list[Seen], divergences: dict[str, float], test: Pair, which: str) -> Compared:
    suffix = "" if which == "mapped" else "_raw"
    found = mean([view.scores for view in views]) | divergences
    facts: dict[str, Plain] = {f"{name}{suffix}": found.pop(name) for name in ONE_WAY if name in found}
    unpaired = [view.unpaired for view in views if view.unpaired is not None]
    levels = {**chance(len(test), test.classes), "alignment": float(np.mean(unpaired))} if unpaired else {}
    return Compared(
        {f"matching_{name}{suffix}": value for name, value in found.items()},
        {f"matching_{name}{suffix}": value for name, value in levels.items()},
        np.mean([view.deranged for view in views], 0) if which == "mapped" else np.empty(0),
        {(which, side): each for view in views for side, each in view.retrieval.items()},
        facts,
    )
