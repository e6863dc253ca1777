"""The run: what an estimator's ``fit`` is given, and the estimator that a fusion model becomes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import torch
from torch import Tensor

from mmbench.core.arithmetic import Arithmetic
from mmbench.core.errors import MmbenchError
from mmbench.core.task import Task
from mmbench.core.training import Training
from mmbench.nn.heads import Criterion
from mmbench.nn.models import Estimator, FusionModel, Run, Term
from mmbench.nn.records import Split
from mmbench.train.alone import Alone
from mmbench.train.arithmetic import precision
from mmbench.train.fitted import FittedModel
from mmbench.train.loop import DivergedError, History, Watch, optimise
from mmbench.train.objective import Objective, class_balance
from mmbench.train.streams import seed_all, stream
from mmbench.train.together import Together, obstacle

TermBuilder = Callable[[], tuple[Term, float]]


@dataclass
class CellRun:
    """The ``Run`` of one cell.

    Args:
        task: of the dataset.
        seed: of the cell.
        arithmetic: device, precision and kernels.
        metric: (prediction (N,K), split) -> the main metric, higher is better.
        posterior: exact p(y|x) of a split, where the dataset knows it.
        options: training options that are set from outside, over the model's own.
        terms: builders of the terms that the user composes onto the method.
        watch: looks on at every training of one seed by itself, between epochs.

    Attributes:
        fits: histories of the trainings so far, with their options and numbers of parameters.
    """

    task: Task
    seed: int
    arithmetic: Arithmetic = field(default_factory=Arithmetic)
    metric: Callable[[Tensor, Split], float] | None = None
    posterior: Callable[[Split], Tensor] | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    terms: Sequence[TermBuilder] = ()
    fits: list["Fit"] = field(default_factory=list)
    watch: Watch | None = None

    def train(
        self,
        build: Callable[[], FusionModel],
        train: Split,
        validation: Split,
        options: Training | None = None,
        terms: Sequence[tuple[Term, float]] = (),
    ) -> FittedModel:
        """Train a model that ``build`` makes; each call has random streams of its own.

        Raises:
            DivergedError: if its loss became NaN or infinite.
        """
        objective, options = self.prepare(build, train, options, terms)
        trainer = Alone(objective, self.arithmetic.compiled)
        histories = optimise(trainer, train, validation, options, [self.seed], self.watch)
        return self.conclude(objective, options, *histories)

    def prepare(
        self,
        build: Callable[[], FusionModel],
        train: Split,
        options: Training | None = None,
        terms: Sequence[tuple[Term, float]] = (),
    ) -> tuple[Objective, Training]:
        """What will be minimised, ready for the first step, and how. The streams of this training
        begin here: of several trainings one after the other, each must end before the next begins."""
        seed_all(self.seed, "model", len(self.fits))
        model = build()
        options = (options or model.training_options).override(**self.options)
        terms = [*(make() for make in self.terms), *terms]
        target = train.target if train.labelled is None or train.target is None else train.target[train.labelled]
        balance = class_balance(self.task, target) if options.balance and target is not None else None
        criterion = Criterion(self.task, balance)
        kind = precision(self.arithmetic)
        objective = Objective(model, criterion, terms, self.arithmetic).to(self.arithmetic.device, kind)
        objective.begin(train)
        objective.to(self.arithmetic.device, kind)  # what `begin` has registered
        # convolutions of images run faster in this layout
        objective.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return objective, options

    def conclude(self, objective: Objective, options: Training, history: History) -> FittedModel:
        """Note a training that has ended.

        Raises:
            DivergedError: if it did not end well.
        """
        if history.diverged is not None:
            raise history.diverged
        numbers = sum(parameter.numel() for parameter in objective.model.parameters())
        self.fits.append(Fit(options, numbers, tuple(history.validation), history.seconds))
        return FittedModel(objective.model, self.task, history, self.arithmetic)

    @property
    def device(self) -> str:
        """Of the cell, as torch names it."""
        return self.arithmetic.device

    def score(self, fitted: Any, split: Split) -> float:
        """The task's main metric of anything with ``predict``, turned so that higher is better."""
        if self.metric is None:
            raise MmbenchError("this run has no metric to score with")
        return self.metric(fitted.predict(split.withheld()), split)


@dataclass(frozen=True)
class Fit:
    """One training within a cell.

    Attributes:
        options: of the trainer.
        parameters: trained numbers.
        validation: the criterion after each epoch.
        seconds: what they went into, as in ``History``.
    """

    options: Training
    parameters: int
    validation: tuple[float, ...]
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        """That were trained, over all stages."""
        return len(self.validation)


class ModelEstimator:
    """A fusion model as an estimator: built and trained when it is fitted.

    Args:
        build: makes the model, with its random draws.
    """

    fitted: FittedModel
    packed = True

    def __init__(self, build: Callable[[], FusionModel]) -> None:
        self.build = build

    def fit(self, train: Split, validation: Split, run: Run) -> Self:
        fitted = run.train(self.build, train, validation)
        if not isinstance(fitted, FittedModel):
            raise TypeError(f"run.train gave {type(fitted).__name__}")
        self.fitted = fitted
        return self

    def predict(self, split: Split) -> Tensor:
        """(N,K) probabilities or values, on the CPU."""
        return self.fitted.predict(split)

    def embed(self, split: Split) -> dict[str, Tensor]:
        """{m: (N,d_m)} before fusion, and "fused": (N,d)."""
        return self.fitted.embed(split)


def train_together(
    runs: Sequence[CellRun], estimators: Sequence[Estimator], train: Split, validation: Split
) -> list[DivergedError | None] | str:
    """Fit the estimators of several seeds at once.

    Args:
        runs: one a seed, each without any training so far.
        estimators: of the seeds.

    Returns:
        What became of each seed (None: it is fitted); or why they cannot be trained at once, with
        nothing trained.
    """
    models = [estimator for estimator in estimators if isinstance(estimator, ModelEstimator)]
    if len(models) < len(estimators):
        return f"{type(estimators[0]).__name__} is an estimator: its fit is a program of its own"
    prepared = [run.prepare(model.build, train) for run, model in zip(runs, models, strict=True)]
    objectives, options = [objective for objective, _ in prepared], prepared[0][1]
    reason = obstacle(objectives, train, options)
    if reason:
        return reason
    seeds = [run.seed for run in runs]
    seed_all(stream(0, "together", *seeds), "training")
    trainer = Together(objectives, runs[0].arithmetic.compiled)
    outcomes: list[DivergedError | None] = []
    histories = optimise(trainer, train, validation, options, seeds)
    for run, model, objective, history in zip(runs, models, objectives, histories, strict=True):
        if history.diverged is None:
            model.fitted = run.conclude(objective, options, history)
        outcomes.append(history.diverged)
    return outcomes


def as_estimator(build: Callable[[], object], seed: int, name: str) -> Estimator:
    """What a card's builder makes, as an estimator: fusion models are wrapped.

    Raises:
        MmbenchError: if it is neither.
    """
    seed_all(seed, "build")
    built = build()
    if isinstance(built, FusionModel):

        def rebuild() -> FusionModel:
            model = build()
            if not isinstance(model, FusionModel):
                raise TypeError(f"the builder of {name} gives a model only sometimes")
            return model

        return ModelEstimator(rebuild)
    if isinstance(built, Estimator):
        return built
    raise MmbenchError(f"the builder of {name} gives a {type(built).__name__}, neither a FusionModel nor an Estimator")
