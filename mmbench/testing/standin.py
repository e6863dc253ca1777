"""A subject without a training: for tests of a measure, by its author or ours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mmbench.core.cards import MethodCard
from mmbench.core.task import Task
from mmbench.measures.evaluation import Evaluation
from mmbench.measures.subject import Array, Effort, Made, Part
from mmbench.measures.task import task_score, task_scores
from mmbench.nn.models import FusionModel
from mmbench.nn.records import Inputs, Split

CARD = MethodCard("stand-in", "a function in place of a fitted method", "mmbench.testing.standin:StandIn")


@dataclass
class StandIn:
    """A ``Subject`` (see ``mmbench.measures.subject``) whose answers are functions of its inputs.

    Args:
        task: that it does.
        parts: ``train``, ``validation`` and ``test``, in floats, with targets.
        answer: inputs -> (N,K) probabilities or values. It never meets rows without any modality.
        embedding: inputs -> {m: (N,d_m)}, if it gives any.
        heads: inputs -> {m: (N,K)}, if it has any.
        fit: rows of train -> another stand-in, for measures that train again.
        others: attributes of ``Subject``.
    """

    task: Task
    parts: Mapping[str, Split]
    answer: Callable[[Inputs], Array]
    embedding: Callable[[Inputs], dict[str, Array]] | None = None
    heads: Callable[[Inputs], dict[str, Array]] | None = None
    fit: "Callable[[NDArray[np.int64]], StandIn] | None" = None
    seed: int = 0
    method: MethodCard = CARD
    ceiling: float | None = None
    dataset: str = "stand-in"
    parameters: Mapping[str, object] = field(default_factory=dict)
    model: FusionModel | None = None
    effort: Effort = field(default_factory=Effort)
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def sizes(self) -> dict[str, int]:
        return {name: len(split) for name, split in self.parts.items()}

    @property
    def chance(self) -> float | None:
        test = self.parts["test"]
        found = self.score(np.tile(self._prior(), (len(test), 1)), test)
        return None if np.isnan(found) else found

    def rows(self, part: Part, most: int | None = None, *, complete: bool = False) -> Split:
        split = self.parts[part]
        if complete:
            split = split.take(split.inputs.present.all(1).nonzero()[:, 0])
        if most is None or most >= len(split):
            return split
        chosen = np.random.default_rng(0).permutation(len(split))[:most]
        return split.take(torch.from_numpy(np.sort(chosen)))

    def predictions(self, part: Part) -> Array:
        return self.predict(self.parts[part])

    def targets(self, part: Part) -> NDArray[Any]:
        target = self.parts[part].target
        assert target is not None
        return target.numpy()

    def predict(self, split: Split) -> Array:
        return self.predictor(split)(split.inputs)

    def predictor(self, base: Split) -> Callable[[Inputs], Array]:
        def predict(inputs: Inputs) -> Array:
            some = inputs.present.any(1)
            answer = np.tile(self._prior(), (len(inputs), 1))
            if some.any():
                answer[some.numpy()] = np.asarray(self.answer(inputs.take(some.nonzero()[:, 0])), np.float64)
            return answer

        return predict

    def score(self, prediction: Array, split: Split) -> float:
        assert split.target is not None
        return task_score(Evaluation(self.task, prediction, split.target.numpy()), self.task.metric)

    def scores(self, prediction: Array, split: Split) -> dict[str, float]:
        assert split.target is not None
        return task_scores(Evaluation(self.task, prediction, split.target.numpy()))

    def embed(self, split: Split) -> dict[str, Array]:
        return self.embedding(split.inputs) if self.embedding else {}

    def unimodal(self, split: Split) -> dict[str, Array]:
        return self.heads(split.inputs) if self.heads else {}

    def refit(self, train: NDArray[np.int64]) -> "StandIn":
        if self.fit is None:
            raise NotImplementedError("this stand-in cannot be fitted again: give it `fit`")
        return replace(self.fit(train), kept={})

    def to_device(self, split: Split) -> Split:
        return split

    def generator(self, *words: object) -> np.random.Generator:
        return np.random.default_rng([self.seed, *"/".join(map(str, words)).encode()])

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        if name not in self.kept:
            self.kept[name] = make()
        found: Made = self.kept[name]
        return found

    def _prior(self) -> Array:
        """(K,) what the training targets alone predict."""
        target = self.parts["train"].target
        assert target is not None
        if self.task.kind == "classification":
            return np.bincount(target.numpy(), minlength=self.task.outputs) / len(target)
        return np.asarray(target.double().mean(0))
