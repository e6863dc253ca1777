"""Whoever shows what happens in a sweep. All of it comes from the sweep's own thread."""

from collections.abc import Sequence
from typing import Protocol

from mmbench.core.spec import Spec
from mmbench.results.schema import Outcome
from mmbench.sweep.plan import Cell, CellBatch, Plan


class Observer(Protocol):
    """What a sweep tells."""

    def preparing(self, dataset: Spec) -> None:
        """A dataset that the cache lacks is being made."""

    def planned(self, plan: Plan) -> None:
        """All cells are known."""

    def begun(self, batch: CellBatch) -> None:
        """A worker has taken up a batch, or what is left of it."""

    def ended(self, batch: CellBatch, cell: Cell, outcome: Outcome, seconds: float) -> None:
        """A cell has its record."""

    def died(self, batch: CellBatch, message: str) -> None:
        """A worker has died, and its cells will be tried once more."""

    def elsewhere(self, batch: CellBatch, outcomes: Sequence[Outcome]) -> None:
        """Another sweep has run cells of a batch meanwhile."""

    def waiting(self, batches: Sequence[CellBatch]) -> None:
        """Nothing is left but what other sweeps are running."""
