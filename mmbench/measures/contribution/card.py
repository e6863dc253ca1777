"""The card of the measure of contribution."""

from math import inf

from mmbench.core.cards import MeasureCard
from mmbench.core.scores import Score

CARD = MeasureCard(
    name="contribution",
    summary="What each modality contributes: Shapley values, leave-one-out, interaction, perceptual score",
    build="mmbench.measures.contribution.measure:contribution",
    scores=(
        Score("contribution_balance", "balance of contributions", low=-inf, directed=False),
        Score("contribution_interaction", "interaction", low=-inf, high=inf, chance=0.0, directed=False),
        Score("contribution_gain", "gain of all modalities", low=-inf, high=inf, chance=0.0),
    ),
    tasks=("classification", "multilabel", "regression", "verification", "anomaly"),
    needs="method",
    protocols={"quick": {"most": 300, "passes": 5_000, "permutations": 5, "draws": 1}},
    details=("contribution_balance", "contribution_interaction"),
)
