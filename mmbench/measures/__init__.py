"""Measures: from an evaluation to named scores. This module is the plugin of the built-in ones."""

from mmbench.core.cards import MeasureCard
from mmbench.core.scores import TASK_SCORES
from mmbench.hooks import hookimpl


@hookimpl
def mmbench_measures() -> list[MeasureCard]:
    return [
        MeasureCard(
            name="task",
            summary="How good the predictions are: accuracy, F1, AUROC, NLL; RMSE, R²; EER",
            build="mmbench.measures.task:task_scores",
            scores=tuple(score for score in TASK_SCORES.values() if score.name != "retrieval_map"),
            tasks=("classification", "multilabel", "regression", "verification", "anomaly"),
        )
    ]
