"""A task: what is predicted, from which modalities, and by which metric it is judged."""

from dataclasses import dataclass
from typing import Literal, get_args

from mmbench.core.errors import MmbenchError, did_you_mean
from mmbench.core.modality import Modality
from mmbench.core.scores import TASK_SCORES, Score

TaskKind = Literal["classification", "multilabel", "regression", "retrieval", "verification", "anomaly"]
TASK_KINDS: tuple[TaskKind, ...] = get_args(TaskKind)

# Tasks whose targets are (N, K) zeros and ones, each output a Bernoulli logit of its own.
BERNOULLI: tuple[TaskKind, ...] = ("multilabel", "verification", "anomaly")

MAIN_METRIC: dict[TaskKind, str] = {
    "classification": "accuracy",
    "multilabel": "macro_f1",
    "regression": "rmse",
    "retrieval": "retrieval_map",
    "verification": "eer",
    "anomaly": "auroc",
}


@dataclass(frozen=True)
class Task:
    """What is predicted.

    Args:
        kind: one of ``classification`` (target (N,) class), ``multilabel`` (N,L) of 0/1,
            ``regression`` (N,D), ``retrieval`` (no target needed), ``verification`` and
            ``anomaly`` (N,1) of 0/1, 1 being the accepted person or the anomaly.
        outputs: K, the width of a prediction: classes, labels or targets; 0 for retrieval.
        modalities: 1 to 10 of them, names distinct.
        metric: the main metric's name; by default that of the kind.

    Raises:
        MmbenchError: for no or too many modalities or outputs, names used twice, an unknown metric.
    """

    kind: TaskKind
    outputs: int
    modalities: tuple[Modality, ...]
    metric: str = ""

    def __post_init__(self) -> None:
        if self.kind not in TASK_KINDS:
            raise MmbenchError(f"task kind {self.kind!r} is unknown; {did_you_mean(self.kind, TASK_KINDS)}")
        if not 1 <= len(self.modalities) <= 10:
            raise MmbenchError(f"a task has 1 to 10 modalities, not {len(self.modalities)}")
        if len({modality.name for modality in self.modalities}) < len(self.modalities):
            raise MmbenchError(f"two modalities share a name: {[m.name for m in self.modalities]}")
        least = {"classification": 2, "retrieval": 0}.get(self.kind, 1)
        if self.outputs < least:
            raise MmbenchError(f"{self.kind} needs at least {least} outputs, not {self.outputs}")
        if self.kind in ("verification", "anomaly") and self.outputs != 1:
            raise MmbenchError(f"{self.kind} needs 1 output, not {self.outputs}")
        if not self.metric:
            object.__setattr__(self, "metric", MAIN_METRIC[self.kind])
        if self.metric not in TASK_SCORES:
            raise MmbenchError(f"metric {self.metric!r} is unknown; {did_you_mean(self.metric, TASK_SCORES)}")

    @property
    def score(self) -> Score:
        """The main metric, with its direction."""
        return TASK_SCORES[self.metric]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the modalities, in order."""
        return tuple(modality.name for modality in self.modalities)

    def modality(self, name: str) -> Modality:
        for modality in self.modalities:
            if modality.name == name:
                return modality
        raise MmbenchError(f"there is no modality {name!r}; {did_you_mean(name, self.names)}")
