"""The worker: runs one piece of work in a process of its own and reports to the parent.

It writes each result itself as soon as it has it, so that a worker that dies loses the cells in
flight alone.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, ClassVar, NoReturn

from mmbench.data.cache import Prepared
from mmbench.results import store
from mmbench.results.schema import Outcome
from mmbench.results.store import UnwritableError
from mmbench.sweep import family
from mmbench.sweep.choices import DatasetChoice
from mmbench.sweep.faults import is_out_of_memory, message_of, traceback_of
from mmbench.sweep.measures import Flaw, flaws, give_up, lacking
from mmbench.sweep.plan import Cell, CellBatch
from mmbench.sweep.record import checked_result

if TYPE_CHECKING:  # it comes with torch
    from mmbench.sweep.batch import Done


@dataclass(frozen=True, eq=False)
class Preparation:
    """Work: make a dataset."""

    dataset: DatasetChoice
    imports: ClassVar[tuple[str, ...]] = ("datasets",)
    on_device: ClassVar[bool] = False
    exclusive: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"data of {self.dataset.spec}"


@dataclass(frozen=True, eq=False)
class Training:
    """Work: run the cells of a batch that are still open.

    Attributes:
        batch: with these cells alone.
        attempts: for each cell, which attempt at it this is: 1 for the first.
    """

    batch: CellBatch
    attempts: tuple[int, ...]
    imports: ClassVar[tuple[str, ...]] = ()

    @property
    def on_device(self) -> bool:
        """Whether it needs one of the accelerators."""
        return self.batch.settings.arithmetic.device != "cpu"

    @property
    def exclusive(self) -> bool:
        """Whether it needs that to itself."""
        return self.batch.settings.exclusive

    def __str__(self) -> str:
        return str(self.batch)


Work = Preparation | Training


@dataclass(frozen=True)
class Started:
    """Report: the worker begins with these cells. If it dies, they are the ones it died of."""

    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Ended:
    """Report: a cell has its record and its measures, written by the worker.

    Attributes:
        flaws: measures of it that went wrong: their specs, and why.
    """

    cell: Cell
    outcome: Outcome
    seconds: float
    flaws: tuple[Flaw, ...] = ()


@dataclass(frozen=True)
class Made:
    """Report: a dataset is in the cache."""

    prepared: Prepared


@dataclass(frozen=True)
class Failed:
    """Report: the work as a whole could not be done."""

    message: str
    traceback: str


@dataclass(frozen=True)
class OutOfMemory:
    """Report: there was no memory left for what was begun. The worker ends."""

    message: str
    traceback: str


@dataclass(frozen=True)
class Unwritable:
    """Report: results cannot be kept. The worker ends."""

    message: str


Report = Started | Ended | Made | Failed | OutOfMemory | Unwritable
Tell = Callable[[Report], None]


def main(work: Work, reports: Connection, device: str | None) -> None:
    """Entry of the worker's process.

    Args:
        work: to be done.
        reports: where reports go.
        device: the one CUDA device that the worker may see; None leaves what the caller allows.
    """
    if device is not None:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it --deterministic refuses to multiply
    run_apart(partial(_do, work, reports.send), device)


def run_apart(do: Callable[[], None], device: str | None) -> NoReturn:
    """Do something in a process that ends with its parent, and takes along whatever it has started.

    Args:
        do: which tells of its own errors.
        device: the one CUDA device that it may see; None leaves what the caller allows.
    """
    if device is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = device  # before anything asks CUDA what there is
    os.setsid()  # a group of its own, so that the parent can end it with all that it started
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends its workers
    family.die_with_parent()
    family.adopt_orphans()
    code = 1
    with contextlib.suppress(BaseException):  # nothing can be told any more: the exit code has to do
        do()
        code = 0
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)  # without waiting for threads and processes that a plugin has left


def _do(work: Work, tell: Tell) -> None:
    try:
        if isinstance(work, Preparation):
            from mmbench.data.cache import prepare

            tell(Made(prepare(work.dataset.card, work.dataset.parameters)))
        else:
            _run_cells(work, tell)
    except UnwritableError as error:
        tell(Unwritable(str(error)))
    except BaseException as error:  # whatever a plugin raises, sys.exit too, is told and costs its work alone
        report = OutOfMemory if is_out_of_memory(error) else Failed
        tell(report(message_of(error), traceback_of(error)))


def _run_cells(work: Training, tell: Tell) -> None:
    """Run and record the cells, telling when they begin and end.

    Raises:
        UnwritableError: if a record cannot be written.
    """
    from mmbench.sweep.batch import accelerator, run_batch
    from mmbench.sweep.tune.trial import run_trial

    run = run_batch if work.batch.trial is None else run_trial
    attempts = {cell.identity.seed: attempt for cell, attempt in zip(work.batch.cells, work.attempts, strict=True)}
    for done in run(work.batch, starting=lambda cells: tell(Started(cells))):
        if done.outcome.status == "killed":
            tell(OutOfMemory(done.outcome.message, done.outcome.traceback))
            return  # what is left has a better chance in a fresh worker
        outcome = done.outcome.model_copy(update={"attempts": attempts[done.cell.identity.seed]})
        tell(_recorded(work.batch, done, outcome, accelerator(work.batch)))


def _recorded(batch: CellBatch, done: "Done", outcome: Outcome, device: str) -> Ended:
    """Write what is not there yet of a cell that has ended: its record, then its measures."""
    from mmbench.sweep.measuring import measure_cell

    cell, started = done.cell, time.perf_counter()
    key = cell.identity.key
    record = cell.place.record(key)
    if store.status(record) != "ok":
        result = checked_result(batch, cell, outcome, done.measured, device)
        store.write(cell.place, result, {"prediction": done.prediction} if done.prediction is not None else None)
        outcome = result.outcome
    open_measures = lacking(record, batch.measures, retry_failed=cell.state == "flawed")
    if outcome.status == "ok" and done.subject is not None:
        measure_cell(record, key, done.subject, open_measures)
    elif store.status(record) == "ok":  # it had a score, and could not be fitted once more
        give_up(record, key, open_measures, f"fitting it once more: {outcome.status}: {outcome.message}")
        outcome = Outcome()
    return Ended(cell, outcome, done.seconds + time.perf_counter() - started, flaws(record, batch.measures))
