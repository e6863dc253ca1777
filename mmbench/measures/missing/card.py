"""The card of the measure of missing modalities."""

from math import inf

from mmbench.core.cards import MeasureCard
from mmbench.core.scores import Score

CARD = MeasureCard(
    name="missing",
    summary="The main metric when modalities are missing: every subset of them, and at random",
    build="mmbench.measures.missing.measure:missing",
    scores=(
        Score("missing_worst", "worst missing", of_main=True),
        Score("missing_worst_one", "worst with one missing", of_main=True),
        Score("missing_mean", "mean missing", of_main=True),
        Score("missing_retained", "retained over subsets", low=-inf, high=inf, chance=0.0),
        Score("missing_mcar", "missing at random", of_main=True),
    ),
    tasks=("classification", "multilabel", "regression", "verification", "anomaly"),
    needs="method",
    protocols={"quick": {"most": 300, "passes": 5_000}},
    headline="missing_worst",
    details=("missing_mean", "missing_mcar"),
)
