"""The search: rounds of trials of all studies, then the rows of their best values, by the sweep's own workers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mmbench.core.errors import MmbenchError
from mmbench.sweep.choices import MethodChoice
from mmbench.sweep.dispatch import run_sweep
from mmbench.sweep.local import LocalExecutor
from mmbench.sweep.observer import Observer
from mmbench.sweep.plan import CellBatch, Plan, Skip
from mmbench.sweep.run import Summary
from mmbench.sweep.tune.space import nothing_to_tune, space_of
from mmbench.sweep.tune.study import Budget, Study

Fixed = Mapping[str, Mapping[str, object]]  # {spec of a method: what the user has set to the default}


@dataclass
class Search:
    """All studies of a command.

    Attributes:
        studies: one a method and dataset.
        untuned: batches of which nothing can be tuned, and why; they are run as they are.
        budget: of every study.
    """

    studies: list[Study]
    untuned: list[tuple[CellBatch, str]]
    budget: Budget
    failed: list[Study] = field(default_factory=list)


def make_search(plan: Plan, budget: Budget, fixed: Fixed | None = None) -> Search:
    """Sort the batches of a plan into those that can be tuned and those that cannot.

    Raises:
        MmbenchError: if the budget is no budget, or a dataset has nothing to judge trials on.
    """
    if budget.trials < 1:
        raise MmbenchError(f"{budget.trials} trials: a search needs at least one, the default configuration")
    search = Search([], [], budget)
    for batch in plan.batches:
        if batch.prepared.sizes.get("validation", 0) < 1:
            raise MmbenchError(f"{batch.dataset.spec} has no validation split, on which alone trials are judged")
        kept = _fixed(batch.method, fixed or {})
        space = space_of(batch.method, kept)
        if space:
            given = {**kept, **batch.method.parameters}
            search.studies.append(Study(batch, given, space, budget))
        else:
            search.untuned.append((batch, nothing_to_tune(batch.method) or "it has no parameter to search"))
    return search


def run_trials(search: Search, executor: LocalExecutor, observer: Observer, retry_failed: bool = False) -> None:
    """Run all rounds of all studies; what has run is not run again, unless it failed and is to be tried again.

    Raises:
        UnwritableError: if records cannot be kept.
    """
    for numbers in search.budget.rounds:
        batches = [study.round(numbers) for study in search.studies]
        plan = Plan(tuple(batch for some in batches for batch in some))
        observer.planned(plan)
        run_sweep(Summary(plan), executor, observer, retry_failed=retry_failed)
        for study, some in zip(search.studies, batches, strict=True):
            study.collect(some)


def rows_of(search: Search, skipped: tuple[Skip, ...] = ()) -> Plan:
    """The batches that the search leads to: each study's best values, and what could not be tuned.

    A study without any score has none; it is then in ``search.failed``. ``skipped`` is what the plan had left out.
    """
    batches: list[CellBatch] = []
    for study in search.studies:
        best = study.best
        if best is None:
            search.failed.append(study)
        else:
            batches.append(study.rows(best))
    return Plan((*batches, *(batch for batch, _ in search.untuned)), skipped)


def _fixed(method: MethodChoice, fixed: Fixed) -> Mapping[str, object]:
    """What the user has set of a method to its default; one that is run once a modality was asked for without one."""
    asked = {name: value for name, value in method.build.items() if name != "modality"}
    return fixed.get(str(method.spec)) or fixed.get(str(replace(method, build=asked).spec), {})
