"""A batch in its worker: each seed's cell to its end, whatever that is. Torch is imported here."""

import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmbench.data.splits import Splits, load_splits
from mmbench.results import store
from mmbench.results.schema import Outcome
from mmbench.sweep.cell import Fitting, NotFiniteError, fit_together, measure, run_cell
from mmbench.sweep.plan import Cell, CellBatch
from mmbench.sweep.record import Measured
from mmbench.train.arithmetic import precision, set_up
from mmbench.train.loop import DivergedError


@dataclass(frozen=True)
class Done:
    """A cell that has ended: what became of it, what it measured and predicted (N,K), and its seconds."""

    cell: Cell
    outcome: Outcome
    measured: Measured | None
    prediction: NDArray[np.float32] | None
    seconds: float


def run_batch(batch: CellBatch, starting: Callable[[tuple[Cell, ...]], None]) -> Iterator[Done]:
    """Run the cells of a batch.

    Args:
        batch: whose data the cache holds.
        starting: told which cells are in flight from now on.
    """
    set_up(batch.settings.arithmetic)  # before the first kernel: threads cannot be changed safely after
    splits = _load(batch)
    store.keep_targets(batch.cells[0].place, batch.prepared.fingerprint, splits.targets_of_test())
    fitted: dict[int, Fitting | DivergedError] | str = ""
    if batch.cells[0].identity.together:
        starting(batch.cells)
        try:
            fitted = fit_together(batch, splits)
        except BaseException as error:  # whatever a plugin raises, sys.exit too
            yield from (Done(cell, outcome_of(error), None, None, 0.0) for cell in batch.cells)
            return
    for cell in batch.cells:
        starting((cell,))
        started = time.perf_counter()
        measured, prediction, outcome = None, None, Outcome()
        try:
            if isinstance(fitted, str):
                measured, prediction = run_cell(batch, splits, cell.identity.seed, reason=fitted)
            else:
                measured, prediction = measure(batch, splits, _fitting(fitted[cell.identity.seed]))
        except BaseException as error:
            outcome = outcome_of(error)
            if outcome.status != "diverged":
                splits = _load(batch)  # whatever it was, it may have left them changed
        yield Done(cell, outcome, measured, prediction, time.perf_counter() - started)


def outcome_of(error: BaseException) -> Outcome:
    """What a cell's exception means for its record."""
    if isinstance(error, DivergedError | NotFiniteError):
        return Outcome(status="diverged", message=str(error), epoch=getattr(error, "epoch", None))
    return Outcome(status="error", message=message_of(error), traceback=traceback.format_exc())


def message_of(error: BaseException) -> str:
    """One line of it."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _fitting(found: Fitting | DivergedError) -> Fitting:
    if isinstance(found, DivergedError):
        raise found
    return found


def _load(batch: CellBatch) -> Splits:
    arithmetic = batch.settings.arithmetic
    return load_splits(batch.prepared.task, batch.prepared.folder).to(arithmetic.device, precision(arithmetic))
