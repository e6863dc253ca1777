"""Scores of many weightings of the test rows at once: what a bootstrap needs.

Each function takes weights (N,R), one column a resample, and gives one value a resample. With unit
weights they equal scikit-learn's and SciPy's scores, with integer weights those of the repeated rows.
"""

from collections.abc import Callable, Collection
from types import MappingProxyType

from mmbench.boards.weighted.detection import detection_scores
from mmbench.boards.weighted.labels import class_scores, label_scores
from mmbench.boards.weighted.regression import regression_scores
from mmbench.boards.weighted.sums import Array, Floats

Scores = Callable[[Array, Array, Floats, Collection[str]], dict[str, Floats]]

_BY_TASK = MappingProxyType[str, Scores](
    {
        "classification": class_scores,
        "multilabel": label_scores,
        "verification": detection_scores,
        "anomaly": detection_scores,
        "regression": regression_scores,
    }
)


def weighted_scores(
    kind: str, prediction: Array, target: Array, weights: Floats, names: Collection[str]
) -> dict[str, Floats]:
    """{name: (R,)} of those of the named scores that have a weighted form; NaN where undefined.

    Args:
        kind: of the task.
        prediction: (N,K) probabilities, or values in the target's own units.
        target: (N,) classes; (N,K) labels or values.
        weights: (N,R), not negative.
        names: of scores, as in ``mmbench.core.scores``.
    """
    scores = _BY_TASK.get(kind)
    if scores is None:
        return {}
    return scores(prediction.astype("float64"), target, weights, names)
