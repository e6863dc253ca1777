"""The sweep: make the data, plan the cells, run what is not there yet, and say what became of it."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from mmbench.data.cache import Prepared, find
from mmbench.results.schema import Outcome
from mmbench.sweep.choices import DatasetChoice, MethodChoice
from mmbench.sweep.fate import fate
from mmbench.sweep.local import Gone, LocalExecutor, Told
from mmbench.sweep.observer import Observer
from mmbench.sweep.plan import Cell, Plan, Settings, Skip, make_plan
from mmbench.sweep.worker import Failed, Made, OutOfMemory, Preparation


@dataclass
class Summary:
    """What became of a sweep.

    Attributes:
        plan: with the state of every cell before the sweep.
        wanted: cells that had to be run.
        outcomes: of the cells that were run, counted by status.
        elsewhere: of the cells that another sweep ran meanwhile.
        failures: cells that have no score, with the reason; those of earlier and other sweeps too.
        flaws: measures that went wrong: of which cell, which one, and why.
        broken: datasets that could not be made, with the reason.
        seconds: wall time.
    """

    plan: Plan = field(default_factory=lambda: Plan(()))
    wanted: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    elsewhere: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[Cell, Outcome]] = field(default_factory=list)
    flaws: list[tuple[Cell, str, str]] = field(default_factory=list)
    broken: list[Skip] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def well(self) -> bool:
        """Whether every cell that was asked for has a score, and its measures."""
        return not self.failures and not self.broken and not self.flaws


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


def prepare_datasets(
    choices: Sequence[DatasetChoice], executor: LocalExecutor, observer: Observer
) -> tuple[list[tuple[DatasetChoice, Prepared]], list[Skip]]:
    """All datasets that can be made, and those that cannot with the reason."""
    prepared = {str(choice.spec): find(choice.card, choice.parameters) for choice in choices}
    broken: dict[str, str] = {}
    missing = deque(Preparation(choice) for choice in choices if not prepared[str(choice.spec)])
    while missing or executor.busy:
        while missing and executor.room(missing[0]):
            observer.preparing(missing[0].dataset.spec)
            executor.start(missing.popleft())
        for event in executor.events():
            if not isinstance(event.work, Preparation):
                continue
            name = str(event.work.dataset.spec)
            if isinstance(event, Told) and isinstance(event.report, Made):
                prepared[name] = event.report.prepared
            elif isinstance(event, Told) and isinstance(event.report, Failed | OutOfMemory):
                broken[name] = event.report.message
            elif isinstance(event, Gone) and not prepared[name] and name not in broken:
                broken[name] = fate(event, executor.timeout, executor.memory)
    there = [(choice, found) for choice in choices if (found := prepared[str(choice.spec)]) is not None]
    skips = [Skip(None, c.spec, broken[str(c.spec)]) for c in choices if str(c.spec) in broken]
    return there, skips
