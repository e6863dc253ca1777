"""What ``mmbench run`` shows: a live line on a terminal, a line a batch elsewhere, and summaries."""

import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import IO, Self

from mmbench.boards.numbers import plural
from mmbench.core.spec import Spec
from mmbench.results.schema import Outcome
from mmbench.sweep.observer import Observer
from mmbench.sweep.plan import TO_RUN, Cell, CellBatch, Plan, Skip
from mmbench.sweep.run import Summary

FAILURES_SHOWN = 20


class Lines(Observer):
    """One line a batch: for logs and pipes."""

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream
        self.total = self.done = 0
        self.left: Counter[str] = Counter()
        self.outcomes: dict[str, list[str]] = {}
        self.started = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def preparing(self, dataset: Spec) -> None:
        self.say(f"making the data of {dataset}")

    def planned(self, plan: Plan) -> None:
        self.total = sum(cell.state in TO_RUN for cell in plan.cells())
        for line in (plan_line(plan), *measures_not_taken(plan)):
            self.say(line)

    def begun(self, batch: CellBatch) -> None:
        self.left[str(batch)] = len(batch.cells)
        self.outcomes.setdefault(str(batch), [])

    def ended(self, batch: CellBatch, cell: Cell, outcome: Outcome, seconds: float) -> None:
        name = str(batch)
        self.left[name] -= 1
        self.outcomes[name].append(outcome.status)
        self._count(1)
        if outcome.status != "ok":
            self.say(f"  {name}, seed {cell.identity.seed}: {_told(outcome)}")
        if not self.left[name]:
            self.say(f"{self._place()}{name}: {_counted(Counter(self.outcomes.pop(name)))}")

    def died(self, batch: CellBatch, message: str) -> None:
        self.say(f"  {batch}: {message}; going on in a fresh worker")

    def elsewhere(self, batch: CellBatch, outcomes: Sequence[Outcome]) -> None:
        self._count(len(outcomes))
        self.say(f"{self._place()}{batch}: {_counted(Counter(o.status for o in outcomes))} by another sweep")

    def waiting(self, batches: Sequence[CellBatch]) -> None:
        more = f" and {len(batches) - 1} more" if len(batches) > 1 else ""
        self.say(f"waiting for another sweep that runs {batches[0]}{more}")

    def _count(self, cells: int) -> None:
        self.done += cells
        self.total = max(self.total, self.done)

    def _place(self) -> str:
        return f"[{self.done:>4}/{self.total}] "

    def say(self, line: str) -> None:
        print(line, file=self.stream, flush=True)


class Live(Lines):
    """A bar with the cells done, what runs now, and the time left; failures are lines above it."""

    def __init__(self, stream: IO[str]) -> None:
        super().__init__(stream)
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            BarColumn(30),
            MofNCompleteColumn(),
            TextColumn("cells, left:"),
            TimeRemainingColumn(elapsed_when_finished=True),
            TextColumn("{task.description}"),
        )
        self.progress = Progress(*columns, console=Console(file=stream), transient=True)
        self.bar = self.progress.add_task("", total=None)
        self.current: dict[str, None] = {}

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def planned(self, plan: Plan) -> None:
        super().planned(plan)
        self.progress.update(self.bar, total=self.total, completed=0)

    def begun(self, batch: CellBatch) -> None:
        super().begun(batch)
        self.current[str(batch)] = None
        self._describe()

    def ended(self, batch: CellBatch, cell: Cell, outcome: Outcome, seconds: float) -> None:
        name = str(batch)
        self.left[name] -= 1
        self._count(1)
        if outcome.status != "ok":
            self.say(f"{name}, seed {cell.identity.seed}: {_told(outcome)}")
        if not self.left[name]:
            self.current.pop(name, None)
        self._describe()

    def _count(self, cells: int) -> None:
        super()._count(cells)
        self.progress.update(self.bar, completed=self.done, total=self.total)

    def _describe(self) -> None:
        from rich.markup import escape

        self.progress.update(self.bar, description=escape(" | ".join(self.current)))

    def say(self, line: str) -> None:
        self.progress.console.print(line, markup=False, highlight=False)


def make_observer(stream: IO[str]) -> Lines:
    """Live on a terminal, lines elsewhere."""
    return Live(stream) if stream.isatty() else Lines(stream)


def plan_line(plan: Plan) -> str:
    """``120 cells: 100 new, 20 done; 14 combinations left out``."""
    counts = {state: number for state, number in plan.count().items() if number}
    states = ", ".join(f"{number} {state}" for state, number in counts.items())
    line = f"{plural(sum(counts.values()), 'cell')}: {states}" if counts else "no cells"
    return f"{line}; {plural(len(plan.skipped), 'combination')} left out" if plan.skipped else line


def measures_not_taken(plan: Plan) -> list[str]:
    """A line for each measure that was asked for and does not judge the task of some datasets."""
    lines = []
    for choice in plan.batches[0].settings.measures if plan.batches else ():
        idle = [str(batch.dataset.spec) for batch in plan.batches if batch.prepared.task.kind not in choice.card.tasks]
        if idle:
            tasks = ", ".join(choice.card.tasks)
            lines.append(f"{choice.spec} is for {tasks}: not taken of {', '.join(dict.fromkeys(idle))}")
    return lines


def plan_text(plan: Plan, left_out: Sequence[Skip]) -> str:
    """Every cell with its state, and everything that is left out with the reason."""
    from tabulate import tabulate

    rows = []
    for batch in plan.batches:
        by_state: dict[str, list[str]] = {}
        for cell in batch.cells:
            by_state.setdefault(cell.state, []).append(str(cell.identity.seed))
        states = "; ".join(f"{state} (seed {', '.join(seeds)})" for state, seeds in by_state.items())
        rows.append((str(batch.dataset.spec), str(batch.method.spec), states))
    skipped = [*plan.skipped, *left_out]
    rows += [(str(s.dataset), str(s.method or "every method"), f"skip: {s.reason}") for s in skipped]
    table = tabulate(rows, ["dataset", "method", "state"], tablefmt="simple", disable_numparse=True)
    return f"{table}\n\n{plan_line(plan)}"


def summary_text(summary: Summary, left_out: Sequence[Skip]) -> str:
    """What became of a sweep, in a few lines."""
    lines = []
    for skip in summary.broken:
        lines.append(f"{skip.dataset}: its data could not be made: {skip.reason}")
    for cell, outcome in summary.failures[:FAILURES_SHOWN]:
        where = f"{cell.place.method} on {cell.place.dataset}, seed {cell.identity.seed}"
        lines.append(f"{where}: {_told(outcome)}")
    if len(summary.failures) > FAILURES_SHOWN:
        lines.append(f"(+{len(summary.failures) - FAILURES_SHOWN} more)")
    for cell, measure, why in summary.flaws[:FAILURES_SHOWN]:
        where = f"{cell.place.method} on {cell.place.dataset}, seed {cell.identity.seed}"
        lines.append(f"{where}: measure {measure}: {why}")
    if len(summary.flaws) > FAILURES_SHOWN:
        lines.append(f"(+{len(summary.flaws) - FAILURES_SHOWN} more measures)")
    if summary.failures or summary.flaws:
        lines.append("tracebacks: `mmbench results --failed`; run them again: `mmbench run … --retry-failed`")
    lines += _left_out([*left_out, *(skip for skip in summary.plan.skipped if skip.method is None)])
    if not summary.plan.batches:  # nothing of what was asked for can run, and why is what matters
        lines += [
            f"left out: {skip.method} on {skip.dataset}: {skip.reason}" for skip in summary.plan.skipped if skip.method
        ]
    states = summary.plan.count()
    wanted = summary.wanted - summary.elsewhere.total()
    nothing = f"none of {wanted} cells was finished" if wanted else "nothing was left to run"
    parts = [_counted(summary.outcomes) or nothing, f"{states['done']} done before"]
    if states["failed"]:
        parts.append(f"{states['failed']} failed before")
    if states["flawed"]:
        parts.append(f"of {states['flawed']} a measure failed before")
    if summary.elsewhere:
        parts.append(f"{_counted(summary.elsewhere)} by another sweep meanwhile")
    if left := len(summary.plan.skipped):
        parts.append(f"{left} combination{'s' * (left != 1)} left out (--dry-run says why)")
    parts.append(_duration(summary.seconds))
    return "\n".join([*lines, "; ".join(parts)])


def _left_out(skips: Sequence[Skip]) -> list[str]:
    """A line for each reason, with its datasets."""
    names: dict[str, list[str]] = {}
    for skip in skips:
        names.setdefault(skip.reason, []).append(str(skip.dataset))
    return [f"left out: {', '.join(some)}: {reason}" for reason, some in names.items()]


def _told(outcome: Outcome) -> str:
    """``killed: the worker …``, and how often it was tried."""
    tried = f" (tried {outcome.attempts} times)" if outcome.attempts > 1 else ""
    return f"{outcome.status}: {outcome.message}{tried}"


def _counted(outcomes: Counter[str]) -> str:
    order = ("ok", "error", "diverged", "timeout", "killed", "pruned")
    return ", ".join(f"{outcomes[status]} {status}" for status in order if outcomes[status])


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
