"""The card of the measure."""

from math import inf

from mmbench.core.cards import MeasureCard
from mmbench.core.scores import Score

CARD = MeasureCard(
    name="calibration",
    summary="Whether probabilities are frequencies: ECE with its null, Brier, NLL, temperature scaling",
    build="mmbench.measures.calibration.measure:calibration",
    scores=(
        Score("ece", "ECE", higher_is_better=False),
        Score("ece_null", "ECE if calibrated, mean", directed=False),
        Score("ece_null_95", "ECE if calibrated, 95th percentile", directed=False),
        Score("ece_mass", "ECE, equal mass", higher_is_better=False),
        Score("ece_classwise", "classwise ECE", higher_is_better=False),
        Score("brier", "Brier score", higher_is_better=False, high=2.0),
        Score("nll_unscaled", "NLL before scaling", higher_is_better=False, high=inf, unit="nats"),
        Score("temperature", "temperature", high=inf, directed=False),
        Score("ece_scaled", "ECE after scaling", higher_is_better=False),
        Score("ece_mass_scaled", "ECE, equal mass, after scaling", higher_is_better=False),
        Score("ece_classwise_scaled", "classwise ECE after scaling", higher_is_better=False),
        Score("brier_scaled", "Brier score after scaling", higher_is_better=False, high=2.0),
        Score("nll_scaled", "NLL after scaling", higher_is_better=False, high=inf, unit="nats"),
    ),
    tasks=("classification", "multilabel", "verification", "anomaly"),
    needs="method",
    protocols={"quick": {"simulations": 50}},
    headline="ece",
    details=("ece_null_95", "brier", "temperature", "ece_scaled"),
)
