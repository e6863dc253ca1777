"""Synthetic results: records, predictions and targets as a sweep would have left them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mmbench.core.modality import Modality
from mmbench.core.spec import Spec
from mmbench.core.task import Task, TaskKind
from mmbench.measures.evaluation import Evaluation
from mmbench.measures.task import task_scores
from mmbench.results import store
from mmbench.results.schema import (
    Cost,
    Identity,
    ModalityRecord,
    Outcome,
    Provenance,
    Result,
    TaskRecord,
    Tuning,
)

Array = NDArray[Any]
MODALITIES = (Modality("image", "image", (1, 8, 8)), Modality("audio", "sequence", (20, 4)))


@dataclass
class ResultFactory:
    """Writes results of one dataset under one protocol.

    Args:
        out: folder of results.
        target: (N,) classes; (N,K) labels or values.
        kind, outputs, metric: of the task.
        group: (N,) of the test rows.
    """

    out: Path
    target: Array
    kind: TaskKind = "classification"
    outputs: int = 2
    metric: str = ""
    group: Array | None = None
    dataset: str = "toy"
    protocol: str = "standard"
    chance: float | None = None
    ceiling: float | None = None
    identity: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.task = Task(self.kind, self.outputs, MODALITIES, self.metric)
        self.write_targets()

    @property
    def folder(self) -> Path:
        return self.out / self.protocol / self.dataset

    def write_targets(self, data: str = "d" * 32) -> None:
        arrays = {"target": self.target if self.kind == "classification" else self.target.astype(np.float32)}
        if self.group is not None:
            arrays["group"] = self.group
        store.write_arrays(self.folder / f"test-{data[:16]}.npz", arrays)

    def scores(self, prediction: Array) -> dict[str, float]:
        kept = prediction.astype(np.float32).astype(np.float64)
        target = self.target if self.kind == "classification" else self.target.astype(np.float64)
        return task_scores(Evaluation(self.task, kept, target))

    def add(
        self,
        method: str,
        prediction: Array | None,
        seed: int = 0,
        *,
        role: str = "method",
        status: Any = "ok",
        scores: dict[str, float] | None = None,
        validation: float | None = None,
        created: str = "2025-01-01T00:00:00+00:00",
        sidecar: bool = True,
        seconds: float = 12.5,
        epochs: int | None = 30,
        tuning: Tuning | None = None,
        parameters: dict[str, Any] | None = None,
        **identity: Any,
    ) -> Path:
        """One cell. Scores are those of the prediction unless they are given."""
        made = Identity(
            **{
                "method": method,
                "parameters": parameters or {},
                "method_source": "a" * 32,
                "core_source": "c" * 32,
                "dataset": self.dataset,
                "dataset_version": "1",
                "data": "d" * 32,
                "protocol": self.protocol,
                "protocol_version": 1,
                "seed": seed,
                **self.identity,
                **identity,
            }
        )
        if scores is None:
            scores = self.scores(prediction) if prediction is not None and status == "ok" else {}
        main = scores.get(self.task.metric) if validation is None else validation
        result = Result(
            key=made.key,
            identity=made,
            outcome=Outcome(status=status, message="" if status == "ok" else "loss became NaN\nin epoch 3"),
            role=role,
            task=TaskRecord(
                kind=self.kind,
                outputs=self.outputs,
                metric=self.task.metric,
                higher_is_better=self.task.score.higher_is_better,
                modalities=tuple(ModalityRecord(name=m.name, kind=m.kind, shape=m.shape) for m in MODALITIES),
                sizes={"train": 1000, "validation": 200, "test": len(self.target)},
                group="" if self.group is None else "speaker",
            ),
            scores=scores,
            validation={} if main is None else {self.task.metric: main},
            chance=self.chance,
            ceiling=self.ceiling,
            cost=Cost(parameters=12_345, epochs=epochs, fit_seconds=seconds, predict_seconds=0.1),
            tuning=tuning,
            provenance=Provenance(created=created, mmbench="0.1.0", plugin="p 1", libraries={}, hardware={}),
        )
        spec = Spec(method, {key: str(value) for key, value in made.parameters.items()})
        place = store.Place(self.out, self.protocol, Spec(self.dataset), spec, seed)
        arrays = {"prediction": prediction.astype(np.float32)} if prediction is not None and sidecar else None
        return store.write(place, result, arrays if status == "ok" else None)


Make = Callable[..., ResultFactory]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """``make(target, …)``: a factory that writes below ``tmp_path / "results"``."""

    def build(target: Array, **options: Any) -> ResultFactory:
        return ResultFactory(**{"out": tmp_path / "results", "target": target, **options})

    return build


def _guess(target: Array, rate: float, classes: int, seed: int) -> Array:
    """(N,K) probabilities whose largest is the true class in about a share ``rate`` of the rows."""
    rng = np.random.default_rng(seed)
    right = rng.random(len(target)) < rate
    said = np.where(right, target, (target + rng.integers(1, classes, len(target))) % classes)
    p = rng.dirichlet(np.ones(classes), len(target)) * 0.4
    p[np.arange(len(target)), said] += 0.6
    return p


@pytest.fixture
def guess() -> Callable[[Array, float, int, int], Array]:
    """``guess(target, rate, classes, seed)``: predictions that are right at a given rate."""
    return _guess
