"""The card of the measure."""

from math import inf

from mmbench.core.cards import MeasureCard
from mmbench.core.scores import Score


def _score(name: str, title: str, unit: str) -> Score:
    return Score(f"cost_{name}", title, higher_is_better=False, high=inf, unit=unit)


CARD = MeasureCard(
    name="cost",
    summary="What a method takes: parameters, FLOPs a sample, seconds by what they went into, peak memory",
    build="mmbench.measures.cost.measure:cost",
    scores=(
        _score("parameters", "parameters", "numbers"),
        _score("trainable", "trainable parameters", "numbers"),
        _score("flops", "FLOPs of a forward pass", "FLOPs per sample"),
        _score("fit_seconds", "training", "s"),
        _score("data_seconds", "training: batches", "s"),
        _score("steps_seconds", "training: forward and backward passes", "s"),
        _score("judging_seconds", "training: evaluation", "s"),
        _score("predict_seconds", "prediction of the test split", "s"),
        _score("peak_mib", "peak memory", "MiB"),
    ),
    tasks=("classification", "multilabel", "regression", "verification", "anomaly"),
    needs="method",
    details=("cost_flops", "cost_peak_mib"),
)
