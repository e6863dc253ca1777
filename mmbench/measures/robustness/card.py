"""The card of the measure ``robustness``. Light."""

from math import inf

from mmbench.core.cards import MeasureCard
from mmbench.core.scores import Score

FAMILIES = ("noise", "dropout", "shuffle")  # corruptions with a score of their own: they fit most datasets

CARD = MeasureCard(
    name="robustness",
    summary="How much performance is left when inputs are corrupted: noise, dropout, lag, blur, shuffled partners, …",
    build="mmbench.measures.robustness.measure:robustness",
    scores=(
        Score("robustness_area", "robustness", of_main=True),
        Score("robustness_worst", "worst robustness", of_main=True),
        Score("robustness_retained", "retained", low=-inf, high=inf),
        *(Score(f"robustness_{name}", f"area under {name}", of_main=True) for name in FAMILIES),
    ),
    tasks=("classification", "multilabel", "regression", "verification", "anomaly"),
    needs="method",
    protocols={"quick": {"draws": 1, "passes": 10_000}},
    headline="robustness_area",
    details=("robustness_retained", "robustness_worst", *(f"robustness_{name}" for name in FAMILIES)),
)
