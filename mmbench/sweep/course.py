"""The course of a batch: which of its cells are open, which are in flight, and how often each was tried.

A cell is tried again once, in a fresh worker, when a worker has died of it. What has come to an end
of its own, with a score, an error or by diverging, is never tried again, nor is what took too long.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from mmbench.results.schema import Outcome
from mmbench.sweep.plan import Cell, CellBatch
from mmbench.sweep.worker import Training

RETRIES = 1  # after the first death
Ending = tuple[Cell, Outcome]


class Course:
    """One batch on its way.

    Args:
        batch: with the cells that have to be run.

    Attributes:
        seconds: that its workers have run so far.
    """

    def __init__(self, batch: CellBatch) -> None:
        self.batch = batch
        self.seconds = 0.0
        self._open = {cell.identity.seed: cell for cell in batch.cells}
        self._attempts = dict.fromkeys(self._open, 0)
        self._deaths = dict.fromkeys(self._open, 0)
        self._begun: set[int] = set()  # by the present worker
        self._flying: tuple[int, ...] = ()

    @property
    def open(self) -> tuple[Cell, ...]:
        """Cells that have no record yet."""
        return tuple(self._open.values())

    def work(self) -> Training:
        """What a fresh worker is to do."""
        self._begun, self._flying = set(), ()
        attempts = tuple(self._attempts[seed] + 1 for seed in self._open)
        return Training(replace(self.batch, cells=self.open), attempts)

    def started(self, cells: tuple[Cell, ...]) -> None:
        """The worker begins with these cells, or goes on with some of those that it began together."""
        self._flying = tuple(cell.identity.seed for cell in cells)
        self._count(self._flying)

    def ended(self, cell: Cell) -> None:
        """A cell needs no worker any more."""
        self._open.pop(cell.identity.seed, None)
        self._flying = tuple(seed for seed in self._flying if seed != cell.identity.seed)

    def found(self, cell: Cell) -> None:
        """A cell has all that it needs, as was found after the worker has died, perhaps of it."""
        self._open.pop(cell.identity.seed, None)

    def died(self, outcome: Outcome) -> list[Ending]:
        """The worker has died, with ``outcome``: the cells that will not be tried again.

        It died of the cells in flight; of all open ones if it did not come as far, or was between two.
        """
        hit = [seed for seed in self._flying if seed in self._open]
        if not self._flying:
            hit = list(self._open)
            self._count(hit)
        for seed in hit:
            self._deaths[seed] += 1
        return self._close([seed for seed in hit if self._deaths[seed] > RETRIES], lambda seed: outcome)

    def failed(self, outcome: Outcome) -> list[Ending]:
        """The worker could do nothing with the batch as a whole: all open cells."""
        self._count_all_unless_begun()
        return self._close(list(self._open), lambda seed: outcome)

    def ran_out_of_time(self, begun: Outcome, waiting: Outcome) -> list[Ending]:
        """The worker was stopped at the time limit: all open cells, those that it had begun and those that waited."""
        self._count_all_unless_begun()
        return self._close(list(self._open), lambda seed: begun if seed in self._begun else waiting)

    def _count_all_unless_begun(self) -> None:
        if not self._begun:
            self._count(self._open)

    def _count(self, seeds: Iterable[int]) -> None:
        """One attempt a worker, however many steps it takes."""
        for seed in set(seeds) - self._begun:
            self._attempts[seed] += 1
            self._begun.add(seed)

    def _close(self, seeds: list[int], outcome: Callable[[int], Outcome]) -> list[Ending]:
        return [
            (self._open.pop(seed), outcome(seed).model_copy(update={"attempts": self._attempts[seed]}))
            for seed in seeds
        ]
