"""The card of the measure."""

from math import inf

from mmbench.core.cards import MeasureCard
from mmbench.core.scores import Score

CARD = MeasureCard(
    name="label-efficiency",
    summary="How good the method is with 1 to 100 % of the training rows; it is trained again for each share",
    build="mmbench.measures.label_efficiency.measure:label_efficiency",
    scores=(
        Score("label_area", "skill over label shares", low=-inf, chance=0.0),
        Score("label_10", "skill, 10 % of labels", low=-inf, chance=0.0),
        Score("label_10_kept", "10 % of labels / all", low=-inf, high=inf, chance=0.0),
    ),
    tasks=("classification", "multilabel", "regression", "verification", "anomaly"),
    needs="method",
    protocols={"quick": {"shares": (0.1, 1.0)}},
    opt_in=True,
    headline="label_area",
    details=("label_10", "label_10_kept"),
)
