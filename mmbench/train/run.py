"""The run: what an estimator's ``fit`` is given, and the estimator that a fusion model becomes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import torch
from torch import Tensor

from mmbench.core.errors import MmbenchError
from mmbench.core.task import Task
from mmbench.core.training import Training
from mmbench.nn.heads import Criterion
from mmbench.nn.models import Estimator, FusionModel, Run, Term
from mmbench.nn.records import Split
from mmbench.train.fitted import FittedModel
from mmbench.train.loop import optimise
from mmbench.train.objective import Objective, class_balance
from mmbench.train.streams import seed_all

TermBuilder = Callable[[], tuple[Term, float]]


@dataclass
class CellRun:
    """The ``Run`` of one cell.

    Args:
        task: of the dataset.
        seed: of the cell.
        device: as torch names it.
        metric: (prediction (N,K), split) -> the main metric, higher is better.
        posterior: exact p(y|x) of a split, where the dataset knows it.
        options: training options that are set from outside, over the model's own.
        terms: builders of the terms that the user composes onto the method.
        precision: of parameters and inputs.

    Attributes:
        fits: histories of the trainings so far, with their options and numbers of parameters.
    """

    task: Task
    seed: int
    device: str = "cpu"
    metric: Callable[[Tensor, Split], float] | None = None
    posterior: Callable[[Split], Tensor] | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    terms: Sequence[TermBuilder] = ()
    precision: torch.dtype = torch.float32
    fits: list["Fit"] = field(default_factory=list)

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
        seed_all(self.seed, "model", len(self.fits))
        model = build()
        options = (options or model.training_options).override(**self.options)
        terms = [*(make() for make in self.terms), *terms]
        target = train.target if train.labelled is None or train.target is None else train.target[train.labelled]
        balance = class_balance(self.task, target) if options.balance and target is not None else None
        objective = Objective(model, Criterion(self.task, balance), terms).to(self.device, self.precision)
        objective.begin(train)
        objective.to(self.device, self.precision)  # what `begin` has registered
        # convolutions of images run faster in this layout
        objective.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        history = optimise(objective, train, validation, options, self.seed)
        numbers = sum(parameter.numel() for parameter in model.parameters())
        self.fits.append(Fit(options, numbers, history.epochs))
        return FittedModel(model, self.task, history)

    def score(self, fitted: Any, split: Split) -> float:
        """The task's main metric of anything with ``predict``, turned so that higher is better."""
        if self.metric is None:
            raise MmbenchError("this run has no metric to score with")
        return self.metric(fitted.predict(split.withheld()), split)


@dataclass(frozen=True)
class Fit:
    """One training within a cell: its options, trained numbers and epochs."""

    options: Training
    parameters: int
    epochs: int


class ModelEstimator:
    """A fusion model as an estimator: built and trained when it is fitted.

    Args:
        build: makes the model, with its random draws.
    """

    fitted: FittedModel

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
