"""A trial in its worker: fit one configuration and judge it on the validation split. Torch is imported here."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from mmbench.data.splits import Splits
from mmbench.results.schema import Cost, Outcome
from mmbench.sweep.batch import Done, import_plugins, load_data, outcome_of
from mmbench.sweep.cell import Fitting, configuration_of, cost_of, fit_and
from mmbench.sweep.globals import restored_globals
from mmbench.sweep.plan import Cell, CellBatch
from mmbench.sweep.record import Measured
from mmbench.sweep.scoring import predict, scorer
from mmbench.sweep.tune.pruning import PrunedError, is_hopeless, lowest_so_far
from mmbench.train.arithmetic import set_up
from mmbench.train.loop import History


class Watch:
    """Looks on at a training, and ends it where it falls behind the bar.

    Args:
        bars: as ``Trial.bars``.

    Attributes:
        criteria: the validation criterion after each epoch; the list of the training itself, which goes on with it.
    """

    def __init__(self, bars: tuple[float, ...]) -> None:
        self.bars = bars
        self.criteria: list[float] = []

    def __call__(self, histories: Sequence[History]) -> None:
        self.criteria = histories[0].validation
        if histories[0].diverged is None and is_hopeless(self.criteria, self.bars):
            raise PrunedError(len(self.criteria))


def run_trial(batch: CellBatch, starting: Callable[[tuple[Cell, ...]], None]) -> Iterator[Done]:
    """Run the one cell of a trial, whose splits have no test split; as ``run_batch``."""
    set_up(batch.settings.arithmetic)
    import_plugins(batch)
    watch = Watch(batch.trial.bars if batch.trial else ())
    for cell in batch.cells:
        starting((cell,))
        started = time.perf_counter()
        measured = None
        try:
            with restored_globals():
                splits = load_data(batch)
                measured = fit_and(_judge, batch, splits, cell.identity.seed, watch=watch)
                outcome = Outcome()
        except PrunedError as error:
            seconds = round(time.perf_counter() - started, 4)
            measured = Measured(cost=Cost(epochs=error.epoch, fit_seconds=seconds))
            outcome = Outcome(status="pruned", message=str(error), epoch=error.epoch)
        except BaseException as error:  # whatever a plugin raises, sys.exit too
            outcome = outcome_of(error)
        if measured is not None:
            measured = replace(measured, criteria=lowest_so_far(watch.criteria))
        yield Done(cell, outcome, measured, None, time.perf_counter() - started)


def _judge(batch: CellBatch, splits: Splits, fitting: Fitting) -> Measured:
    """The scores of a fitted method on the validation split."""
    started = time.perf_counter()
    prediction = predict(fitting.estimator, splits, splits.validation)
    return Measured(
        validation=scorer(splits)(prediction, splits.validation),
        configuration=configuration_of(fitting),
        execution=fitting.execution,
        cost=cost_of(fitting, time.perf_counter() - started),
    )
