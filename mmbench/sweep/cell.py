"""One cell: build the method, fit it, and make its record. Torch is imported here."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.utils import _pytree as pytree

from mmbench.core.errors import MmbenchError
from mmbench.core.parameters import parameters_of
from mmbench.core.task import Task
from mmbench.data.splits import Splits
from mmbench.measures.subject import Effort
from mmbench.nn.augment.balance import balanced_rows
from mmbench.nn.models import Estimator, Term
from mmbench.nn.records import Split
from mmbench.registry import load
from mmbench.results.schema import Cost, Execution, Plain
from mmbench.sweep.choices import MethodChoice, TermChoice
from mmbench.sweep.plan import CellBatch, training_from_outside
from mmbench.sweep.record import Measured
from mmbench.sweep.scoring import chance_prediction, given, main_metric, predict, scorer
from mmbench.train.loop import DivergedError, Watch
from mmbench.train.peak import PeakMemory
from mmbench.train.run import CellRun, ModelEstimator, as_estimator, train_together
from mmbench.train.streams import stream

Judged = TypeVar("Judged")
PARTS = ("data", "steps", "judging")  # of a training, by their names in ``History.seconds``


class ChangedInputsError(RuntimeError):
    """A method has written into the splits that it was given, which other seeds use too."""


@dataclass
class Fitting:
    """A cell whose method is being fitted.

    Attributes:
        run: what the method is given.
        estimator: the method.
        hyperparameters: all that its builder was given.
        seconds: that its training took.
        execution: the path that its training took.
        predicted: seconds that its test prediction took; None before it was asked for one.
        peak_bytes: most memory that was held in its training, as ``PeakMemory`` knows it.
    """

    run: CellRun
    estimator: Estimator
    hyperparameters: dict[str, object]
    seconds: float = 0.0
    execution: Execution = field(default_factory=Execution)
    predicted: float | None = None
    peak_bytes: int | None = None

    @property
    def effort(self) -> Effort:
        """What fitting it took."""
        parts = {name: sum(fit.seconds.get(name, 0.0) for fit in self.run.fits) for name in PARTS if self.run.fits}
        return Effort(
            fit=self.seconds,
            predict=self.predicted,
            peak_bytes=self.peak_bytes,
            extra={"trainings": len(self.run.fits)},
            **parts,
        )


@dataclass(frozen=True)
class Scored:
    """A fitted method with its scores.

    Attributes:
        fitting: the method.
        measured: what stands in its record.
        test, validation: (N,K) predictions (probabilities; values in the target's own units).
    """

    fitting: Fitting
    measured: Measured
    test: Tensor
    validation: Tensor

    @property
    def prediction(self) -> NDArray[np.float32]:
        """Of the test split, as it is kept."""
        return self.test.numpy().astype(np.float32)


def run_cell(batch: CellBatch, splits: Splits, seed: int, reason: str = "") -> Scored:
    """Fit and score one seed by itself, on the test split; as ``fit_and``."""
    return fit_and(measure, batch, splits, seed, reason)


def fit_anew(batch: CellBatch, splits: Splits, seed: int) -> Fitting:
    """Fit one seed by itself, and score nothing; as ``fit_and``."""
    return fit_and(lambda _, __, fitting: fitting, batch, splits, seed)


def fit_and(
    judge: Callable[[CellBatch, Splits, Fitting], Judged],
    batch: CellBatch,
    splits: Splits,
    seed: int,
    reason: str = "",
    watch: Watch | None = None,
) -> Judged:
    """Fit one seed by itself, and judge it.

    Args:
        judge: what is wanted of the fitted method.
        batch: of the cell.
        splits: on the device.
        seed: of the cell.
        reason: why it is trained by itself in a sweep that trains seeds together.
        watch: looks on at the training of a fusion model; not at an estimator's, which may be many.

    Raises:
        DivergedError, NotFiniteError: if training or predictions are no numbers.
        ChangedInputsError: if the method wrote into the splits; they have to be loaded again.
        MmbenchError: if predictions have another shape than the task says, or are no probabilities.
    """
    balanced = _balanced(batch, splits, seed)
    before = versions(balanced)
    fitting = begin(batch, splits, seed)
    fitting.run.watch = watch if isinstance(fitting.estimator, ModelEstimator) else None
    peak, started = PeakMemory(batch.settings.arithmetic.device), time.perf_counter()
    train, validation = (given(fitting.estimator, split) for split in (balanced.train, balanced.validation))
    fitting.estimator.fit(train, validation, fitting.run)
    fitting.seconds, fitting.peak_bytes = time.perf_counter() - started, peak.bytes()
    _refuse_idle_choices(batch, fitting.run)
    fitting.execution = Execution(reason=reason, augmented=_augmented(batch, fitting.run))
    judged = judge(batch, splits, fitting)
    _refuse_changes(batch, balanced, before)
    return judged


def fit_together(batch: CellBatch, splits: Splits) -> dict[int, Fitting | DivergedError] | str:
    """Fit all seeds of the sweep at once: whichever of them are wanted, each depends on the company.

    Returns:
        By seed; or why this method's seeds cannot be trained at once.
    """
    if batch.method.card.deterministic:
        return "the method is deterministic: it has one seed"
    seeds = batch.settings.seeds
    balanced = _balanced(batch, splits, seeds[0])  # they share one train split
    before = versions(balanced)
    fittings = [begin(batch, splits, seed) for seed in seeds]
    peak, started = PeakMemory(batch.settings.arithmetic.device), time.perf_counter()
    runs, estimators = [fitting.run for fitting in fittings], [fitting.estimator for fitting in fittings]
    outcomes = train_together(runs, estimators, balanced.train, balanced.validation)
    if isinstance(outcomes, str):
        return outcomes
    share, held = (time.perf_counter() - started) / len(seeds), peak.bytes()
    _refuse_changes(batch, balanced, before)
    for fitting in fittings:
        fitting.seconds, fitting.peak_bytes = share, held  # memory cannot be shared out: all seeds held it
        fitting.execution = Execution(seeds="together", augmented=_augmented(batch, fitting.run))
    ends = zip(seeds, fittings, outcomes, strict=True)
    return {seed: fitting if outcome is None else outcome for seed, fitting, outcome in ends}


def measure(batch: CellBatch, splits: Splits, fitting: Fitting) -> Scored:
    """Score what a fitted method predicts."""
    score = scorer(splits)
    started = time.perf_counter()
    test = predict(fitting.estimator, splits, splits.test)
    fitting.predicted = time.perf_counter() - started
    validation = predict(fitting.estimator, splits, splits.validation)
    measured = Measured(
        scores=score(test, splits.test),
        validation=score(validation, splits.validation),
        chance=score(chance_prediction(splits, splits.test), splits.test).get(splits.task.metric),
        configuration=configuration_of(fitting),
        execution=fitting.execution,
        cost=cost_of(fitting, fitting.predicted),
        curve=curve_of(fitting),
    )
    return Scored(fitting, measured, test, validation)


def begin(batch: CellBatch, splits: Splits, seed: int) -> Fitting:
    task = with_encoders(splits.task, batch.method.encoders)
    run = CellRun(
        task=task,
        seed=seed,
        arithmetic=batch.settings.arithmetic,
        metric=partial(main_metric, splits, scorer(splits)),
        posterior=_posterior(batch, splits) if "posterior" in batch.method.card.needs else None,
        options=_training_options(batch),
        terms=[partial(_make_term, task, term) for term in (*batch.augmentation, *batch.method.terms)],
    )
    build, hyperparameters = _builder(batch.method)
    estimator = as_estimator(partial(build, task, **hyperparameters), seed, batch.method.card.name)
    return Fitting(run, estimator, hyperparameters)


def _balanced(batch: CellBatch, splits: Splits, seed: int) -> Splits:
    """The splits with as many rows of train, drawn with this seed, where the protocol balances them."""
    if not batch.settings.protocol.balance:
        return splits
    rows = balanced_rows(splits.task, splits.train, stream(seed, "balance"))
    return replace(splits, train=splits.train.take(rows))


def _augmented(batch: CellBatch, run: CellRun) -> bool:
    """Whether the protocol's augmentation was seen: it is part of every training that a run has done."""
    return bool(batch.augmentation and run.fits)


def _refuse_idle_choices(batch: CellBatch, run: CellRun) -> None:
    """Terms and encoders act in the suite's trainer: the row of a method without it is not what it says."""
    if not run.fits and (batch.method.terms or batch.method.encoders):
        raise MmbenchError(
            f"{batch.method.spec}: {batch.method.card.name} is not trained by the suite's trainer, so that terms and "
            "encoders have no effect on it; leave them out"
        )


def _refuse_changes(batch: CellBatch, splits: Splits, before: list[int]) -> None:
    if versions(splits) != before:
        raise ChangedInputsError(
            f"{batch.method.card.name} writes into the splits that it is given; copy a tensor before changing it"
        )


def versions(splits: Splits) -> list[int]:
    """How often each tensor was written to, directly or through a view."""
    return [tensor._version for tensor in pytree.tree_leaves((splits.train, splits.validation, splits.test))]


def with_encoders(task: Task, encoders: Mapping[str, str]) -> Task:
    """The task with the encoders that were chosen for some kinds of modality."""
    chosen = tuple(replace(m, encoder=encoders.get(m.kind, m.encoder)) for m in task.modalities)
    return replace(task, modalities=chosen)


def _builder(method: MethodChoice) -> tuple[Callable[..., object], dict[str, object]]:
    """The builder and every hyper-parameter that it is given."""
    build = load(method.card)
    declared = parameters_of(build, f"method {method.card.name!r}")
    defaults = {name: parameter.default for name, parameter in declared.items()}
    return build, {**defaults, **method.card.preset, **method.build}


def _training_options(batch: CellBatch) -> dict[str, object]:
    """Options over the model's own: the dataset's and the protocol's, then the user's."""
    return {**training_from_outside(batch.dataset, batch.settings.protocol), **batch.method.training}


def _make_term(task: Task, term: TermChoice) -> tuple[Term, float]:
    made = load(term.card)(task, **term.parameters)
    if not isinstance(made, Term):
        raise MmbenchError(f"the builder of term {term.card.name!r} gives a {type(made).__name__}, not a Term")
    if term.weight != 1 and type(made).forward is Term.forward:
        what = "an augmentation" if type(made).inputs is not Term.inputs else "a rule for targets"
        raise MmbenchError(f"{term}: {term.card.name} is {what}, no loss that a weight could scale")
    return made, term.weight


def _posterior(batch: CellBatch, splits: Splits) -> Callable[[Split], Tensor] | None:
    """The dataset's exact p(y|x) of standardised splits; None where it is not known."""
    card = batch.dataset.card
    if not card.posterior:
        return None
    exact = load(replace(card, build=card.posterior))
    parameters = {**card.preset, **batch.dataset.parameters}

    def posterior(split: Split) -> Tensor:
        answer: Tensor = exact(splits.raw(split.inputs), **parameters)
        return answer

    return posterior


def configuration_of(fitting: Fitting) -> dict[str, Plain]:
    """Everything in force: hyper-parameters, and the training options of the first fit."""
    configuration = {name: _plain(value) for name, value in fitting.hyperparameters.items()}
    if fitting.run.fits:
        options = fitting.run.fits[0].options
        for option in fields(options):
            configuration[f"training.{option.name}"] = _plain(getattr(options, option.name))
    return configuration


def cost_of(fitting: Fitting, predicted: float) -> Cost:
    """Of a fit, and of a prediction that took so many seconds."""
    fits = fitting.run.fits
    return Cost(
        parameters=fits[0].parameters if len(fits) == 1 else None,
        epochs=sum(fit.epochs for fit in fits) or None,
        fit_seconds=round(fitting.seconds, 4),
        predict_seconds=round(predicted, 4),
    )


def curve_of(fitting: Fitting) -> tuple[float, ...]:
    """The validation criterion after each epoch, to float32's digits; empty unless there was one training."""
    fits = fitting.run.fits
    return tuple(float(f"{value:.7g}") for value in fits[0].validation) if len(fits) == 1 else ()


def _plain(value: object) -> Plain:
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    return repr(value)
