"""The sweep: make the data, plan the cells, run what is not there yet, and say what became of it."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Protocol as Interface

from mmbench.core.errors import MmbenchError
from mmbench.core.spec import Spec
from mmbench.data.cache import Prepared, find
from mmbench.results import store
from mmbench.results.schema import Outcome, Status
from mmbench.sweep.choices import DatasetChoice, MethodChoice
from mmbench.sweep.local import Begun, Gone, LocalExecutor, Told
from mmbench.sweep.plan import Cell, CellBatch, Plan, Settings, Skip, make_plan
from mmbench.sweep.record import make_result
from mmbench.sweep.worker import Ended, Failed, Made, Preparation


class Observer(Interface):
    """Whoever shows what happens. All of it comes from the sweep's own thread."""

    def preparing(self, dataset: Spec) -> None:
        """A dataset that the cache lacks is being made."""

    def planned(self, plan: Plan) -> None:
        """All cells are known."""

    def begun(self, batch: CellBatch) -> None:
        """A worker has taken up a batch."""

    def ended(self, batch: CellBatch, cell: Cell, outcome: Outcome, seconds: float) -> None:
        """A cell has its record."""


@dataclass
class Summary:
    """What became of a sweep.

    Attributes:
        plan: with the state of every cell before the sweep.
        outcomes: of the cells that were run, counted by status.
        failures: cells that have no score, with the reason; those of earlier sweeps too.
        broken: datasets that could not be made, with the reason.
        seconds: wall time.
    """

    plan: Plan = field(default_factory=lambda: Plan(()))
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[Cell, Outcome]] = field(default_factory=list)
    broken: list[Skip] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def well(self) -> bool:
        """Whether every cell that was asked for has a score."""
        return not self.failures and not self.broken


class FailedFastError(Exception):
    """A cell has failed and the user wanted to stop there."""


def prepare_datasets(
    choices: Sequence[DatasetChoice], executor: LocalExecutor, observer: Observer
) -> tuple[list[tuple[DatasetChoice, Prepared]], list[Skip]]:
    """All datasets that can be made, and those that cannot with the reason."""
    prepared = {str(choice.spec): find(choice.card, choice.parameters) for choice in choices}
    broken: dict[str, str] = {}
    for event in executor.run([Preparation(choice) for choice in choices if not prepared[str(choice.spec)]]):
        if not isinstance(event.work, Preparation):
            continue
        name = str(event.work.dataset.spec)
        if isinstance(event, Begun):
            observer.preparing(event.work.dataset.spec)
        elif isinstance(event, Told) and isinstance(event.report, Made):
            prepared[name] = event.report.prepared
        elif isinstance(event, Told) and isinstance(event.report, Failed):
            broken[name] = event.report.message
        elif isinstance(event, Gone) and not prepared[name] and name not in broken:
            broken[name] = f"the worker that made it {_fate(event)}"
    there = [(choice, found) for choice in choices if (found := prepared[str(choice.spec)]) is not None]
    skips = [Skip(None, c.spec, broken[str(c.spec)]) for c in choices if str(c.spec) in broken]
    return there, skips


def plan_sweep(
    methods: Sequence[MethodChoice],
    datasets: Sequence[DatasetChoice],
    settings: Settings,
    executor: LocalExecutor,
    observer: Observer,
) -> Summary:
    """The plan, with data made as far as they were not in the cache; nothing is trained."""
    prepared, broken = prepare_datasets(datasets, executor, observer)
    summary = Summary(make_plan(methods, prepared, settings), broken=broken)
    observer.planned(summary.plan)
    return summary


def run_sweep(
    summary: Summary,
    executor: LocalExecutor,
    observer: Observer,
    *,
    fail_fast: bool = False,
    retry_failed: bool = False,
) -> Summary:
    """Run the cells of a planned sweep that are not done. Adds to ``summary`` as they end, so that
    an interrupted sweep can tell what it has.

    Raises:
        FailedFastError: at the first cell without a score, if ``fail_fast``.
    """
    started = time.monotonic()
    batches = [batch.to_run(retry_failed) for batch in summary.plan.batches]
    batches = sorted((batch for batch in batches if batch.cells), key=_size, reverse=True)
    if not retry_failed:
        summary.failures += [(cell, _earlier(cell)) for cell in summary.plan.cells() if cell.state == "failed"]
    open_cells = {id(batch): list(batch.cells) for batch in batches}
    try:
        for event in executor.run(batches):
            batch = event.work
            if not isinstance(batch, CellBatch):
                continue
            if isinstance(event, Begun):
                observer.begun(batch)
            elif isinstance(event, Told) and isinstance(event.report, Ended):
                ended = event.report
                open_cells[id(batch)] = [c for c in open_cells[id(batch)] if c.place != ended.cell.place]
                _take(summary, observer, batch, ended)
            elif isinstance(event, Told) and isinstance(event.report, Failed):
                outcome = Outcome(status="error", message=event.report.message, traceback=event.report.traceback)
                _close(summary, observer, batch, open_cells.pop(id(batch)), outcome)
                open_cells[id(batch)] = []
            elif isinstance(event, Gone) and open_cells[id(batch)]:
                status: Status = "timeout" if event.timeout else "killed"
                outcome = Outcome(status=status, message=f"the worker {_fate(event)}")
                _close(summary, observer, batch, open_cells.pop(id(batch)), outcome)
            if fail_fast and any(count for status, count in summary.outcomes.items() if status != "ok"):
                raise FailedFastError
    finally:
        summary.seconds = time.monotonic() - started
    return summary


def _take(summary: Summary, observer: Observer, batch: CellBatch, ended: Ended) -> None:
    summary.outcomes[ended.outcome.status] += 1
    if ended.outcome.status != "ok":
        summary.failures.append((ended.cell, ended.outcome))
    observer.ended(batch, ended.cell, ended.outcome, ended.seconds)


def _close(summary: Summary, observer: Observer, batch: CellBatch, cells: list[Cell], outcome: Outcome) -> None:
    """Record cells whose worker could not do so itself."""
    for cell in cells:
        store.write(cell.place, make_result(batch, cell, outcome))
        _take(summary, observer, batch, Ended(cell, outcome, 0.0))


def _fate(event: Gone) -> str:
    if event.timeout:
        return "was stopped at the time limit (--timeout)"
    if event.exit_code < 0:
        return f"was killed by signal {-event.exit_code}"
    return f"left with exit code {event.exit_code} before it was done"


def _earlier(cell: Cell) -> Outcome:
    try:
        return store.read(cell.place.record(cell.identity.key)).outcome
    except MmbenchError as error:
        return Outcome(status="error", message=str(error))


def _size(batch: CellBatch) -> int:
    """A guess of what a batch costs, for the order: large ones first leave no long tail."""
    shapes = sum(prod(modality.shape) for modality in batch.prepared.task.modalities)
    return batch.prepared.sizes["train"] * len(batch.cells) * (shapes + 100)
