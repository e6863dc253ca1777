"""The method that is looked at: how it is built small, and what it answers."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from mmbench.core.arithmetic import Arithmetic
from mmbench.core.cards import MethodCard
from mmbench.core.errors import MmbenchError
from mmbench.core.parameters import Parameter, parameters_of
from mmbench.core.task import Task
from mmbench.nn.functional import probabilities
from mmbench.nn.models import Estimator, FusionModel
from mmbench.nn.records import FusionOutput, Inputs, Split
from mmbench.registry import load
from mmbench.testing.contract.data import FEW, draw, mixes, task_of, unpadded
from mmbench.train.run import CellRun, as_estimator
from mmbench.train.streams import seed_all

ROWS = 12
SIZES = (8, 16, 32)  # of hidden layers: the least that a builder takes
LARGE = 1_000_000  # numbers, with one modality
FIT: dict[str, object] = {"lr": 1e-2, "batch": 16, "epochs": 2}


class Subject:
    """A method as the checks see it.

    Args:
        card: of the method.
        build: its builder; that of the card if it is not given.
    """

    def __init__(self, card: MethodCard, build: Callable[..., object] | None = None) -> None:
        self.card, self._given = card, build
        self._cases: dict[tuple[str, int], Case] = {}

    @cached_property
    def builder(self) -> Callable[..., object]:
        """What makes the method for a task."""
        return self._given or load(self.card)

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """Its builder's keyword arguments."""
        return parameters_of(self.builder, f"method {self.card.name!r}")

    @cached_property
    def is_model(self) -> bool:
        """Whether it is a ``FusionModel``, rather than an ``Estimator``."""
        if inspect.isclass(self.builder):
            return issubclass(self.builder, FusionModel)
        return isinstance(self.build(task_of(self.card, mixes(self.card, FEW)[0])), FusionModel)

    @cached_property
    def limit(self) -> int:
        """Of modalities: of a method that stays large however small it is asked to be, fewer are looked at."""
        if not self.is_model:
            return 10
        model = self.fresh(task_of(self.card, mixes(self.card, FEW)[0]))
        numbers = sum(x.numel() for x in (*model.parameters(), *model.buffers()))
        return 3 if numbers > LARGE else 10

    def mixes(self, wanted: tuple[str, ...]) -> list[str]:
        """Those of the wanted mixes of modalities that it is looked at with."""
        return mixes(self.card, wanted, self.limit)

    def build(self, task: Task) -> object:
        """The method for a task, as small as its builder allows, with the draws of the global stream."""
        error: MmbenchError | None = None
        for size in SIZES[1:] if "heads" in self.parameters else SIZES:
            try:
                return self.builder(task, **self._arguments(task, size))
            except MmbenchError as refused:
                error = refused
        if error is None or not {"width", "hidden"} & set(self.parameters):
            raise error or MmbenchError("no size was tried")
        return self.builder(task, **self._arguments(task, 0))

    @torch.enable_grad()
    def model(self, task: Task, split: Split, seed: int = 0, finish: bool = True) -> FusionModel:
        """The fusion model in float64 and eval mode, as after training: it has begun and, unless ``finish`` is
        false, finished, and what starts at zero (a missing token, a gate) is zero no more."""
        seed_all(seed, "contract")
        model = self.fresh(task).double().eval()
        model.begin(split)
        model.double()
        with torch.no_grad():
            for parameter in model.parameters():
                if not parameter.any():
                    parameter.normal_()
            if finish:
                model.finish(split, split)
        return model

    def fresh(self, task: Task) -> FusionModel:
        """The fusion model as built."""
        model = self.build(task)
        assert isinstance(model, FusionModel)
        return model

    @torch.enable_grad()
    def fit(self, task: Task, train: Split, validation: Split, seed: int = 0, **options: object) -> Estimator:
        """The method trained by the harness, quickly: as a cell does it."""
        arithmetic = Arithmetic(dtype="float64" if _precision(train) is torch.float64 else "float32")
        run = CellRun(task, seed, arithmetic, options={**FIT, **options})
        run.metric = lambda prediction, split: -_loss(task, prediction, split)
        run.posterior = (lambda split: _posterior(task, split)) if "posterior" in self.card.needs else None
        estimator = as_estimator(lambda: self.build(task), seed, self.card.name)
        return estimator.fit(train, validation, run)

    def case(self, mix: str, kind: Any = None, rows: int = ROWS) -> "Case":
        """The method on one task, made once. Checks may read it and change nothing of it."""
        key = f"{kind}:{mix}", rows
        if key not in self._cases:
            task = task_of(self.card, mix, kind)
            self._cases[key] = Case(self, mix, task, draw(self.card, task, rows))
        return self._cases[key]

    def reads(self, task: Task) -> tuple[str, ...]:
        """Names of the modalities that it is to use: of those that it is given one a row, the last."""
        return task.names[-1:] if self.card.each_modality else task.names

    def _arguments(self, task: Task, size: int) -> dict[str, object]:
        sizes: dict[str, object] = {name: size for name in ("width", "hidden") if name in self.parameters and size}
        for name in sizes:
            bounds = self.parameters[name].bounds
            sizes[name] = max(size, int(bounds.low)) if bounds else size
        chosen = {"modality": task.names[-1]} if self.card.each_modality else {}
        return {**sizes, **chosen, **self.card.preset}


@dataclass
class Case:
    """A method on one task.

    Attributes:
        subject: the method.
        mix: the modalities, in words.
        task: to be done.
        split: samples in float64; what is looked at, and what a model has begun with.
    """

    subject: Subject
    mix: str
    task: Task
    split: Split

    @cached_property
    def model(self) -> FusionModel:
        """Of ``Subject.model``."""
        return self.subject.model(self.task, self.split)

    @cached_property
    def estimator(self) -> Estimator:
        """Trained for an epoch or two on other samples."""
        train, validation = (draw(self.subject.card, self.task, rows, seed) for rows, seed in ((48, 1), (24, 2)))
        return self.subject.fit(self.task, train, validation)

    @property
    def where(self) -> str:
        """For messages."""
        return f"with modalities {self.mix!r} ({self.task.kind})"

    @property
    def tolerance(self) -> float:
        """Absolute and relative, of answers that have to be the same."""
        return 1e-8 if self.subject.is_model else 1e-5  # predictions of an estimator are float32

    def answer(self, inputs: Inputs) -> dict[str, Tensor]:
        """All that the method says of some samples, field by field: ``prediction``, ``fused``,
        ``embeddings[m]``, ``unimodal[m]``, ``generated[m]``. Gradients are kept where the caller wants them."""
        if self.subject.is_model:
            return answers(self.model(inputs))
        split = Split(inputs)
        found = {"prediction": self.estimator.predict(split)}
        embed = getattr(self.estimator, "embed", None)
        for name, vectors in (embed(split) if embed else {}).items():
            found[name if name == "fused" else f"embeddings[{name}]"] = vectors
        return found

    @cached_property
    def output(self) -> dict[str, Tensor]:
        """The answer to the case's own samples."""
        with torch.no_grad():
            return self.answer(self.split.inputs)

    def probabilities(self, answer: dict[str, Tensor]) -> Tensor:
        """(B,K): what ``predict`` gives."""
        return probabilities(self.task, answer["prediction"]) if self.subject.is_model else answer["prediction"]

    def unlike(self, one: dict[str, Tensor], other: dict[str, Tensor]) -> str:
        """The first field in which two answers differ; empty if they agree."""
        for name, x in one.items():
            y = other.get(name)
            if y is None or y.shape != x.shape or not torch.allclose(x, y, self.tolerance, self.tolerance):
                return name
        return ""


def answers(output: FusionOutput) -> dict[str, Tensor]:
    """The tensors of a record by name; ``losses``, which are no answer, are left out."""
    found = {name: x for name in ("prediction", "fused") if (x := getattr(output, name)) is not None}
    for field in ("embeddings", "unimodal", "generated"):
        found.update({f"{field}[{name}]": x for name, x in getattr(output, field).items()})
    return found


def _precision(split: Split) -> torch.dtype:
    return next((x.dtype for x in split.inputs.values.values() if x.is_floating_point()), torch.float32)


def _loss(task: Task, prediction: Tensor, split: Split) -> float:
    """Squared error of probabilities or values: a metric for estimators that compare fits."""
    assert split.target is not None
    target = split.target
    if task.kind == "classification":
        target = torch.nn.functional.one_hot(target, task.outputs)
    return float((prediction - target).square().mean())


def _posterior(task: Task, split: Split) -> Tensor:
    """(N,K): some law of each row, for methods that are given one."""
    inputs = unpadded(split.inputs.keep(split.inputs.present))
    rows = torch.stack([x.flatten(1).double().mean(1) for x in inputs.values.values()]).sum(0)
    return probabilities(task, torch.stack([rows * (k + 1) for k in range(task.outputs)], 1))
