"""The card of modality matching. Light: every ``mmbench`` command imports this."""

from math import inf

from mmbench.core.cards import MeasureCard
from mmbench.core.scores import Score

# Name, title, whether higher is better, range, unit, chance level where it is one number.
_KINDS: tuple[tuple[str, str, bool, float, float, str, float | None], ...] = (
    ("mm", "MM", True, -inf, 1.0, "", 0.0),
    ("kl", "KL MM", True, -inf, 1.0, "", 0.0),
    ("js", "Jensen–Shannon MM", True, -inf, 1.0, "", 0.0),
    ("auc", "Match-AUC", True, 0.0, 1.0, "", 0.5),
    ("recall_1", "matching R@1", True, 0.0, 1.0, "", None),
    ("recall_5", "matching R@5", True, 0.0, 1.0, "", None),
    ("recall_10", "matching R@10", True, 0.0, 1.0, "", None),
    ("mrr", "matching MRR", True, 0.0, 1.0, "", None),
    ("median_rank", "matching median rank", False, 1.0, inf, "rank", None),
    ("map", "same-class mAP", True, 0.0, 1.0, "", None),
    ("cka", "debiased CKA", True, -1.0, 1.0, "", 0.0),
    ("cca", "held-out CCA", True, -1.0, 1.0, "", 0.0),
    ("alignment", "alignment", False, 0.0, 4.0, "", None),
    ("uniformity", "uniformity", False, -8.0, 0.0, "", None),
    ("gap", "modality gap", False, 0.0, 2.0, "", None),
)

CARD = MeasureCard(
    name="matching",
    summary="Whether the encodings of two modalities find each other: MM, retrieval, CKA, CCA, modality gap",
    build="mmbench.measures.matching.measure:matching",
    scores=tuple(
        # encodings that match are no better by that: where modalities complete each other, they should not
        Score(f"matching_{name}{suffix}", f"{title}, {view}", higher, low, high, unit, chance, directed=False)
        for suffix, view in (("", "mapped"), ("_raw", "raw"))
        for name, title, higher, low, high, unit, chance in _KINDS
    ),
    tasks=("classification", "multilabel", "regression", "verification", "anomaly"),
    needs="method",
    protocols={"quick": {"pairs": 300, "fit": 500, "shuffles": 50}},
    headline="matching_mm",
    details=("matching_mm_raw", "matching_auc", "matching_cka", "matching_map"),
)
