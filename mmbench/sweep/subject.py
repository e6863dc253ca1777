"""A fitted method as measures meet it: ``mmbench.measures.subject.Subject``. Torch is imported here.

What is given here decides what measures find: see ``MEASURED_AS`` in ``mmbench.results.provenance``.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils import _pytree as pytree

from mmbench.core.cards import MethodCard
from mmbench.core.task import Task
from mmbench.data.splits import Scaling, Splits
from mmbench.measures.evaluation import Evaluation
from mmbench.measures.subject import Array, Effort, Made, Part
from mmbench.measures.task import task_score
from mmbench.nn.functional import probabilities
from mmbench.nn.models import Estimator, FusionModel
from mmbench.nn.records import FusionOutput, Inputs, Split
from mmbench.sweep.cell import Fitting, fit_anew
from mmbench.sweep.plan import CellBatch
from mmbench.sweep.scoring import Scorer, chance_prediction, checked, predict, scorer
from mmbench.train.blocks import PROBED, rows_at_once
from mmbench.train.fitted import FittedModel
from mmbench.train.memo import MemoisedModel
from mmbench.train.run import ModelEstimator

LEAST_DEVIATION = 1e-6  # of targets, where few rows have all the same


class FittedSubject:
    """A ``Subject``.

    Args:
        batch: of the cell.
        splits: on the device.
        fitting: the fitted method.
        predicted: {part: (N,K)} what it is known to predict for whole parts.
    """

    def __init__(
        self, batch: CellBatch, splits: Splits, fitting: Fitting, predicted: Mapping[str, Tensor] | None = None
    ) -> None:
        self.batch, self.splits, self.fitting = batch, splits, fitting
        self.method: MethodCard = batch.method.card
        self.task: Task = splits.task
        self.seed = fitting.run.seed
        self.ceiling = batch.prepared.ceiling
        self.dataset, self.parameters = batch.dataset.card.name, dict(batch.dataset.parameters)
        self.sizes = {part: len(self._part(part)) for part in ("train", "validation", "test")}
        self.effort: Effort = fitting.effort
        self._predicted = {part: _fixed(prediction.numpy()) for part, prediction in (predicted or {}).items()}
        self._kept: dict[str, Any] = {}
        self._last: tuple[Split, FusionOutput] | None = None
        self._score: Scorer = scorer(splits)

    @property
    def model(self) -> FusionModel | None:
        fitted = self._fitted
        return fitted.model.eval() if fitted else None

    @cached_property
    def chance(self) -> float | None:
        test = self.splits.test
        return self._score(chance_prediction(self.splits, test), test).get(self.task.metric)

    def rows(self, part: Part, most: int | None = None, *, complete: bool = False) -> Split:
        split = self._part(part)
        chosen = torch.arange(len(split), device=split.inputs.present.device)
        if complete:
            chosen = split.inputs.present.all(1).nonzero()[:, 0]
        if most is not None and most < len(chosen):
            kept = _generator(self.batch.prepared.fingerprint, part).permutation(len(chosen))[:most]
            chosen = chosen[torch.from_numpy(np.sort(kept)).to(chosen.device)]
        return (split if len(chosen) == len(split) else split.take(chosen)).unpacked()

    def predictions(self, part: Part) -> Array:
        if part not in self._predicted:
            self._predicted[part] = _fixed(predict(self.fitting.estimator, self.splits, self._part(part)).numpy())
        return self._predicted[part]

    def targets(self, part: Part) -> NDArray[Any]:
        return self._target(self._part(part))

    def predict(self, split: Split) -> Array:
        found: Array = predict(self.fitting.estimator, self.splits, split).numpy()
        return found

    def predictor(self, base: Split) -> Callable[[Inputs], Array]:
        fitted = self._fitted
        if fitted is None:
            return lambda inputs: self.predict(Split(inputs))
        there = self.to_device(base)
        rows = rows_at_once(fitted.model, there.part(slice(PROBED)))
        memo = MemoisedModel(fitted.model, there, rows, fitted.arithmetic)
        where = {id(old): new for old, new in zip(_leaves(base), _leaves(there), strict=True)}
        prior = chance_prediction(self.splits, base)

        def answer(inputs: Inputs) -> Array:
            some = inputs.present.any(1).cpu()
            # rows are independent: what a model makes of a row without any modality is replaced below
            present = inputs.present if some.all() else inputs.present | ~inputs.present.any(1, keepdim=True)
            moved = _moved(replace(inputs, present=present), where, there.inputs.present.device)
            found = self._in_units(memo.output(Split(moved)), len(inputs))
            return torch.where(some[:, None], found, prior).float().double().numpy()

        return answer

    def score(self, prediction: Array, split: Split) -> float:
        if split.target is None:
            return float("nan")
        return task_score(
            Evaluation(self.task, np.asarray(prediction, np.float64), self._target(split)), self.task.metric
        )

    def scores(self, prediction: Array, split: Split) -> dict[str, float]:
        return self._score(torch.tensor(prediction), split)

    def embed(self, split: Split) -> dict[str, Array]:
        fitted = self._fitted
        if fitted:
            found = self._output(fitted, split).embeddings
        else:
            own = getattr(self.fitting.estimator, "embed", None)
            found = {} if own is None else {m: x for m, x in own(split.withheld()).items() if m in self.task.names}
        return {name: x.double().numpy() for name, x in found.items()}

    def unimodal(self, split: Split) -> dict[str, Array]:
        fitted = self._fitted
        if fitted is None:
            return {}
        logits = self._output(fitted, split).unimodal
        answers = {name: probabilities(self.task, x).double() for name, x in logits.items()}
        return {name: self.splits.in_units(x).numpy() for name, x in answers.items()}

    def refit(self, train: NDArray[np.int64]) -> "FittedSubject":
        index = torch.from_numpy(train).to(self.splits.train.inputs.present.device)
        few = _scaled_by_train(replace(self.splits, train=self.splits.train.take(index)))
        return FittedSubject(self.batch, few, fit_anew(self.batch, few, self.seed))

    def to_device(self, split: Split) -> Split:
        moved: Split = pytree.tree_map(lambda x: x.to(self.fitting.run.device), split)
        return moved

    def versions(self) -> list[int]:
        """How often each tensor of the splits and of the model was written to."""
        model = self.model
        own = [] if model is None else [*model.parameters(), *model.buffers()]
        return [x._version for x in (*pytree.tree_leaves(_parts(self.splits)), *own)]

    def generator(self, *words: object) -> np.random.Generator:
        return _generator(self.batch.prepared.fingerprint, str(self.seed), *map(str, words))

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        if name not in self._kept:
            self._kept[name] = make()
        found: Made = self._kept[name]
        return found

    @cached_property
    def _fitted(self) -> FittedModel | None:
        """The one model that answers for the method: a fusion model's own, and the ``fitted`` of an estimator that
        predicts by it alone, which is not taken on trust."""
        estimator = self.fitting.estimator
        fitted = getattr(estimator, "fitted", None)
        if not isinstance(fitted, FittedModel):
            return None
        alone = isinstance(estimator, ModelEstimator)
        if not alone:
            answers = predict(cast(Estimator, fitted), self.splits, self.splits.test).numpy()  # it is fitted
            alone = np.array_equal(answers, self.predictions("test"))
        return fitted if alone else None

    def _part(self, part: str) -> Split:
        found: Split = getattr(self.splits, part)
        return found

    def _target(self, split: Split) -> NDArray[Any]:
        assert split.target is not None
        target = split.target.cpu()
        found: NDArray[Any] = (
            self.splits.in_units(target.double()) if self.task.kind == "regression" else target
        ).numpy()
        return _fixed(found)

    def _output(self, fitted: FittedModel, split: Split) -> FusionOutput:
        """Over a whole split; the last one asked for is kept."""
        if self._last is None or self._last[0] is not split:
            self._last = (split, fitted.output(self.to_device(split.withheld())))
        return self._last[1]

    def _in_units(self, output: FusionOutput, rows: int) -> Tensor:
        assert output.prediction is not None
        answer = checked(self.task, probabilities(self.task, output.prediction), rows)
        return self.splits.in_units(answer)


def _generator(*words: str) -> np.random.Generator:
    digest = sha256("\n".join(words).encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, np.uint32).tolist())


def _scaled_by_train(splits: Splits) -> Splits:
    """With the targets of a regression standardised by what these rows of train alone say."""
    if splits.target_scaling is None:
        return splits
    own = splits.in_units(cast(Tensor, splits.train.target).double())
    scaling = Scaling(own.mean(0), own.std(0, correction=0).clamp(min=LEAST_DEVIATION))

    def rescaled(split: Split) -> Split:
        target = cast(Tensor, split.target)
        return replace(split, target=scaling.apply(splits.in_units(target.double())).to(target.dtype))

    train, validation, test = map(rescaled, _parts(splits))
    return replace(splits, train=train, validation=validation, test=test, target_scaling=scaling)


def _parts(splits: Splits) -> tuple[Split, Split, Split]:
    return splits.train, splits.validation, splits.test


def _fixed(array: NDArray[Any]) -> NDArray[Any]:
    """That nobody can write into: it may be the splits' own memory."""
    array.flags.writeable = False
    return array


def _leaves(split: Split) -> list[Tensor]:
    return [x for x in pytree.tree_leaves(split.inputs) if isinstance(x, Tensor)]


def _moved(inputs: Inputs, where: Mapping[int, Tensor], device: torch.device) -> Inputs:
    """On a device; the base's own tensors are the very ones that lie there."""
    moved: Inputs = pytree.tree_map(lambda x: where.get(id(x), x if x.device == device else x.to(device)), inputs)
    return moved
