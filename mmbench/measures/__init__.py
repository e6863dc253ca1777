"""Measures: from predictions or a fitted method to named scores. This module is the plugin of the built-in ones."""

from mmbench.core.cards import MeasureCard
from mmbench.core.scores import TASK_SCORES
from mmbench.hooks import hookimpl
from mmbench.measures.calibration.card import CARD as CALIBRATION
from mmbench.measures.contribution.card import CARD as CONTRIBUTION
from mmbench.measures.cost.card import CARD as COST
from mmbench.measures.label_efficiency.card import CARD as LABEL_EFFICIENCY
from mmbench.measures.matching.card import CARD as MATCHING
from mmbench.measures.missing.card import CARD as MISSING
from mmbench.measures.robustness.card import CARD as ROBUSTNESS


@hookimpl
def mmbench_measures() -> list[MeasureCard]:
    task = MeasureCard(
        name="task",
        summary="How good the predictions are: accuracy, F1, AUROC, NLL; RMSE, R²; EER",
        build="mmbench.measures.task:task_scores",
        scores=tuple(score for score in TASK_SCORES.values() if score.name != "retrieval_map"),
        tasks=("classification", "multilabel", "regression", "verification", "anomaly"),
    )
    return [task, MATCHING, ROBUSTNESS, MISSING, CALIBRATION, CONTRIBUTION, LABEL_EFFICIENCY, COST]
