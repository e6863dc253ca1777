"""A study: the search of one method on one dataset, from the trials that there are to the rows that it leads to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mmbench.core.spec import Spec
from mmbench.results import store
from mmbench.results.history import History, TrialRecord, write_history
from mmbench.results.schema import Result, Tuning
from mmbench.sweep.plan import CellBatch, Trial, cell_at
from mmbench.sweep.tune.pruning import bars
from mmbench.sweep.tune.sampling import ROUND, SamplerName, Tried, optuna, propose
from mmbench.sweep.tune.space import TRAINING, Space, with_values

SEEDS = 1_000_000  # trials have the seeds from here on, which no sweep has


@dataclass(frozen=True)
class Budget:
    """What every method of a search gets.

    Attributes:
        trials: configurations, the default one included.
        sampler: how the others are chosen.
        seed: of the choice.
    """

    trials: int = 20
    sampler: SamplerName = "random"
    seed: int = 0

    @property
    def rounds(self) -> list[range]:
        """Numbers of the trials of each round."""
        return [range(first, min(first + ROUND, self.trials)) for first in range(0, self.trials, ROUND)]

    @property
    def chosen_by(self) -> str:
        """``random``, ``tpe-7``: another seed of the search is another search."""
        return f"{self.sampler}-{self.seed}" if self.seed else self.sampler

    @property
    def word(self) -> str:
        """In names of folders: ``20``, ``20-tpe``."""
        return str(self.trials) if self.chosen_by == "random" else f"{self.trials}-{self.chosen_by}"


@dataclass
class Study:
    """One method on one dataset.

    Attributes:
        batch: the method as it is without a search, with what the user has set of it.
        given: all that the user has set, also what equals the default.
        space: what is searched.
        budget: of the search.
        trials: that have ended, in order, with the values that they tried.
    """

    batch: CellBatch
    given: Mapping[str, object]
    space: Space
    budget: Budget
    trials: list[tuple[dict[str, object], Result]] = field(default_factory=list)
    _proposed: list[dict[str, object]] = field(default_factory=list, repr=False)  # of the present round

    def __str__(self) -> str:
        return f"{self.spec} on {self.batch.dataset.spec}"

    @property
    def spec(self) -> Spec:
        """The method as the user has set it."""
        return Spec.of(self.batch.method.card.name, self.given)

    def round(self, numbers: range) -> list[CellBatch]:
        """The trials of a round, each a batch of one cell; all earlier rounds have ended."""
        higher = self.batch.prepared.task.score.higher_is_better
        tried = [self._tried(values, result) for values, result in self.trials]
        number = numbers[0] // ROUND
        proposed = propose(self.space, self.budget.sampler, str(self), self.budget.seed, number, tried, higher)
        self._proposed = proposed[: len(numbers)]
        finished = [result.trial.criteria for _, result in self.trials if result.ok and result.trial]
        limits = bars(finished)
        return [self._trial(k, values, limits) for k, values in zip(numbers, self._proposed, strict=True)]

    def collect(self, batches: Sequence[CellBatch]) -> None:
        """Take in the records of a round."""
        for values, batch in zip(self._proposed, batches, strict=True):
            cell = batch.cells[0]
            self.trials.append((values, store.read(cell.place.record(cell.identity.key))))

    @property
    def best(self) -> int | None:
        """Number of the best trial on validation, the first of equals; None if none has a score."""
        higher = self.batch.prepared.task.score.higher_is_better
        scores = [(self._score(result), k) for k, (_, result) in enumerate(self.trials)]
        known = [(score if higher else -score, -k) for score, k in scores if score is not None]
        return -max(known)[1] if known else None

    def score(self, number: int) -> float | None:
        """The main metric of a trial on validation."""
        return self._score(self.trials[number][1])

    def values(self, number: int) -> dict[str, object]:
        """What a trial tried; options of the trainer are left out where its method does not use it."""
        values, result = self.trials[number]
        trained = any(name.startswith("training.") for name in result.configuration)
        return {name: value for name, value in values.items() if trained or name not in TRAINING}

    def rows(self, best: int) -> CellBatch:
        """All seeds of the method with the values of its best trial. Writes the history beside their records to be."""
        history = self._history(best)
        method = with_values(self.batch.method, self.values(best))
        spec = Spec.of(method.card.name, {**self.given, "tuned": self.budget.word})
        place = replace(self.batch.cells[0].place, method=spec)
        write_history(place.folder, history)
        score = self.score(best)
        assert score is not None  # the best trial has one
        tuning = Tuning(
            given=dict(self.given),  # type: ignore[arg-type]  # pydantic checks that they are plain
            seed=self.budget.seed,
            best=best,
            validation=score,
            default=self.score(0),
            history=history.digest,
        )
        searched = {
            "parameters": method.parameters,
            "tuned": True,
            "trials": self.budget.trials,
            "sampler": self.budget.chosen_by,
        }
        recorded = place.recorded_seeds()
        cells = (
            cell_at(cell.identity.model_copy(update=searched), replace(place, seed=cell.identity.seed), recorded)
            for cell in self.batch.cells
        )
        return replace(self.batch, method=method, cells=tuple(cells), tuning=tuning)

    def _place(self, number: int) -> store.Place:
        place = self.batch.cells[0].place
        return replace(place, method=self.spec, seed=self._seed(number), trial=number)

    def _seed(self, number: int) -> int:
        return SEEDS * (1 + self.budget.seed) + number

    def _trial(self, number: int, values: Mapping[str, object], limits: tuple[float, ...]) -> CellBatch:
        method, place = with_values(self.batch.method, values), self._place(number)
        changes = {"parameters": method.parameters, "seed": place.seed, "split": "validation", "together": ()}
        identity = self.batch.cells[0].identity.model_copy(update=changes)
        cell = cell_at(identity, place, set())
        if store.status(place.record(identity.key)) == "pruned":  # that is no failure: it is not tried again
            cell = replace(cell, state="done")
        return replace(
            self.batch,
            method=method,
            settings=replace(self.batch.settings, seeds=(place.seed,), seeds_mode="sequential"),
            cells=(cell,),
            trial=Trial(number, self.budget.trials, limits),
        )

    def _score(self, result: Result) -> float | None:
        return result.validation.get(self.batch.prepared.task.metric) if result.ok else None

    def _tried(self, values: Mapping[str, object], result: Result) -> Tried:
        return Tried(self._known(values, result), self._score(result), result.outcome.status == "pruned")

    def _known(self, values: Mapping[str, object], result: Result) -> dict[str, object]:
        """All that a trial says of the space: of the default one, what its record states."""
        if values:
            return dict(values)
        found = {
            name: result.configuration.get(f"training.{name}" if name in TRAINING else name) for name in self.space
        }
        return {name: value for name, value in found.items() if value is not None and value in self.space[name]}

    def _history(self, best: int) -> History:
        identity, task = self.batch.cells[0].identity, self.batch.prepared.task
        return History(
            method=identity.method,
            given=dict(self.given),  # type: ignore[arg-type]
            dataset=identity.dataset,
            dataset_parameters=identity.dataset_parameters,
            protocol=identity.protocol,
            data=identity.data,
            core_source=identity.core_source,
            method_source=identity.method_source,
            sampler=self.budget.sampler,
            seed=self.budget.seed,
            budget=self.budget.trials,
            optuna=optuna().__version__,
            space={name: str(dimension) for name, dimension in self.space.items()},
            metric=task.metric,
            higher_is_better=task.score.higher_is_better,
            best=best,
            trials=tuple(
                TrialRecord(
                    number=k,
                    values=self.values(k) if result.ok else values,  # type: ignore[arg-type]
                    status=result.outcome.status,
                    message=result.outcome.message,
                    score=self._score(result),
                    epochs=result.cost.epochs,
                    seconds=result.cost.fit_seconds,
                )
                for k, (values, result) in enumerate(self.trials)
            ),
        )
