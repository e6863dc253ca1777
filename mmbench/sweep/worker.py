"""The worker: runs one piece of work in a process of its own and reports to the parent.

It writes each result itself as soon as it has it, so that a worker that dies loses the cell in
flight alone.
"""

import os
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection

from mmbench.data.cache import Prepared
from mmbench.results import store
from mmbench.results.schema import Outcome
from mmbench.sweep.choices import DatasetChoice
from mmbench.sweep.plan import Cell, CellBatch
from mmbench.sweep.record import make_result


@dataclass(frozen=True)
class Preparation:
    """Work: make a dataset."""

    dataset: DatasetChoice

    def __str__(self) -> str:
        return f"data of {self.dataset.spec}"


Work = Preparation | CellBatch


@dataclass(frozen=True)
class Ended:
    """Report: a cell has its record, written by the worker."""

    cell: Cell
    outcome: Outcome
    seconds: float


@dataclass(frozen=True)
class Made:
    """Report: a dataset is in the cache."""

    prepared: Prepared


@dataclass(frozen=True)
class Failed:
    """Report: the work as a whole could not be done."""

    message: str
    traceback: str


Report = Ended | Made | Failed


def main(work: Work, reports: Connection, lifeline: Connection, threads: int) -> None:
    """Entry of the worker's process.

    Args:
        work: to be done.
        reports: where reports go.
        lifeline: never written to; it ends when the parent does, and then so does the worker.
        threads: of torch on the CPU.
    """
    os.setsid()  # a group of its own, so that the parent can end it with all that it started
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends its workers
    threading.Thread(target=_die_with_parent, args=(lifeline,), daemon=True).start()
    try:
        if isinstance(work, Preparation):
            from mmbench.data.cache import prepare

            reports.send(Made(prepare(work.dataset.card, work.dataset.parameters)))
        else:
            _run_batch(work, reports.send)
    except BaseException as error:  # whatever a plugin raises, sys.exit too, is told and costs its work alone
        reports.send(Failed(_message(error), traceback.format_exc()))


def _run_batch(batch: CellBatch, report: Callable[[Report], None]) -> None:
    from mmbench.sweep.batch import run_batch

    for done in run_batch(batch, starting=lambda cells: None):
        predictions = None if done.prediction is None else {"prediction": done.prediction}
        store.write(done.cell.place, make_result(batch, done.cell, done.outcome, done.measured), predictions)
        report(Ended(done.cell, done.outcome, done.seconds))


def _message(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _die_with_parent(lifeline: Connection) -> None:
    try:
        lifeline.recv_bytes()
    except (EOFError, OSError):
        os.killpg(0, signal.SIGKILL)
