"""A batch in its worker: each seed's cell to its end, whatever that is. Torch is imported here."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils import _pytree as pytree

from mmbench.data.splits import Splits, load_splits
from mmbench.registry import AnyCard, load
from mmbench.results import store
from mmbench.results.schema import Outcome, Status
from mmbench.sweep.cell import Fitting, Scored, fit_together, measure, run_cell, versions
from mmbench.sweep.faults import is_out_of_memory, message_of, traceback_of, words_of
from mmbench.sweep.globals import restored_globals
from mmbench.sweep.plan import Cell, CellBatch
from mmbench.sweep.record import Measured
from mmbench.sweep.scoring import NotFiniteError, measures_of_predictions
from mmbench.sweep.subject import FittedSubject
from mmbench.train.arithmetic import precision, set_up
from mmbench.train.loop import DivergedError

DATA_SHARE = 0.5  # of the free memory of an accelerator, at most, for data that stay there


@dataclass(frozen=True)
class Done:
    """A cell that has ended: what became of it, what it measured and predicted (N,K), and its seconds.

    Attributes:
        subject: the fitted method, for measures that need it.
    """

    cell: Cell
    outcome: Outcome
    measured: Measured | None
    prediction: NDArray[np.float32] | None
    seconds: float
    subject: FittedSubject | None = None


def run_batch(batch: CellBatch, starting: Callable[[tuple[Cell, ...]], None]) -> Iterator[Done]:
    """Run the cells of a batch. ``killed`` are those that there was no memory for.

    Args:
        batch: whose data the cache holds.
        starting: told which cells are in flight from now on.
    """
    set_up(batch.settings.arithmetic)  # before the first kernel: threads cannot be changed safely after
    import_plugins(batch)
    splits = load_data(batch)
    store.keep_targets(batch.cells[0].place, batch.prepared.fingerprint, splits.targets_of_test())
    fitted: dict[int, Fitting | DivergedError] | str = ""
    if batch.cells[0].identity.together:
        starting(batch.cells)
        try:
            with restored_globals():
                fitted = fit_together(batch, splits)
        except BaseException as error:  # whatever a plugin raises, sys.exit too
            yield from (Done(cell, outcome_of(error), None, None, 0.0) for cell in batch.cells)
            return
    for cell in batch.cells:
        starting((cell,))
        started = time.perf_counter()
        try:
            with restored_globals():
                if isinstance(fitted, str):
                    scored = run_cell(batch, splits, cell.identity.seed, reason=fitted)
                else:
                    scored = measure(batch, splits, _fitting(fitted[cell.identity.seed]))
        except BaseException as error:
            outcome = outcome_of(error)
            if outcome.status != "diverged":
                splits = load_data(batch)  # whatever it was, it may have left them changed
            yield Done(cell, outcome, None, None, time.perf_counter() - started)
        else:
            before = versions(splits)
            yield _done(batch, splits, cell, scored, time.perf_counter() - started)
            if versions(splits) != before:
                splits = load_data(batch)  # a measure has changed them


def _done(batch: CellBatch, splits: Splits, cell: Cell, scored: Scored, seconds: float) -> Done:
    predicted = {"test": scored.test, "validation": scored.validation}
    subject = FittedSubject(batch, splits, scored.fitting, predicted)
    return Done(cell, Outcome(), scored.measured, scored.prediction, seconds, subject)


def outcome_of(error: BaseException) -> Outcome:
    """What a cell's exception means for its record."""
    if isinstance(error, DivergedError | NotFiniteError):
        return Outcome(status="diverged", message=words_of(error), epoch=getattr(error, "epoch", None))
    status: Status = "killed" if is_out_of_memory(error) else "error"
    return Outcome(status=status, message=message_of(error), traceback=traceback_of(error))


def accelerator(batch: CellBatch) -> str:
    """The name of what the batch ran on; empty for a CPU."""
    return torch.cuda.get_device_name() if batch.settings.arithmetic.device == "cuda" else ""


def import_plugins(batch: CellBatch) -> None:
    """What importing does to the process, it does before the first cell, for all cells alike."""
    method, dataset = batch.method, batch.dataset.card
    cards: list[AnyCard] = [method.card, *(term.card for term in (*method.terms, *batch.augmentation))]
    cards += [*measures_of_predictions(batch.prepared.task), *(choice.card for choice in batch.measures)]
    if "posterior" in method.card.needs and dataset.posterior:
        cards.append(replace(dataset, build=dataset.posterior))
    for card in cards:
        with contextlib.suppress(Exception):  # the cells will tell, each in its own record
            load(card)


def _fitting(found: Fitting | DivergedError) -> Fitting:
    if isinstance(found, DivergedError):
        raise found
    return found


def load_data(batch: CellBatch) -> Splits:
    """The splits on the device; on the host if they would fill it: the trainer then streams them.

    A trial gets no test split: validation without its targets stands in its place.
    """
    device = batch.settings.arithmetic.device
    splits = load_splits(batch.prepared.task, batch.prepared.folder)
    if batch.trial is not None:
        splits = replace(splits, test=splits.validation.withheld())
    return splits.to(device if _fits(splits, device) else "cpu", precision(batch.settings.arithmetic))


def _fits(splits: Splits, device: str) -> bool:
    """Whether the splits leave enough of an accelerator to the model."""
    if device == "cpu":
        return True  # they are maps of files: the system reads what is used
    tensors = pytree.tree_leaves((splits.train, splits.validation, splits.test))
    size: int = sum(x.numel() * x.element_size() for x in tensors)
    return size <= DATA_SHARE * torch.cuda.mem_get_info()[0]
