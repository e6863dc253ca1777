"""Dispatch: batches go to workers, once more if they die of it, and wait where another sweep runs them."""

import contextlib
import time
from collections import deque
from collections.abc import Sequence
from math import prod
from pathlib import Path

from filelock import FileLock

from mmbench.core.errors import MmbenchError
from mmbench.results import locks, measurements, store
from mmbench.results.schema import Outcome
from mmbench.results.store import UnwritableError
from mmbench.sweep.course import Course, Ending
from mmbench.sweep.fate import death, fate
from mmbench.sweep.local import Event, Gone, LocalExecutor
from mmbench.sweep.measures import flaws, give_up, lacking
from mmbench.sweep.observer import Observer
from mmbench.sweep.plan import Cell, CellBatch
from mmbench.sweep.record import make_result
from mmbench.sweep.run import Summary
from mmbench.sweep.worker import Ended, Failed, OutOfMemory, Started, Training, Unwritable

POLL = 0.5  # seconds between looks at batches that another sweep runs


class FailedFastError(Exception):
    """A cell has failed and the user wanted to stop there."""


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
        UnwritableError: if results cannot be kept.
    """
    started = time.monotonic()
    if not retry_failed:
        summary.failures += [(cell, _recorded(cell)) for cell in summary.plan.cells() if cell.state == "failed"]
    batches = [batch.to_run(retry_failed) for batch in summary.plan.batches]
    summary.wanted = sum(len(batch.cells) for batch in batches)
    sweep = _Sweep(summary, executor, observer, sorted(filter(_any, batches), key=_size, reverse=True), fail_fast)
    try:
        sweep.run()
    finally:
        sweep.stop()
        summary.seconds = time.monotonic() - started
    return summary


class _Sweep:
    """Batches on their way.

    Attributes:
        waiting: for a worker.
        held: by other sweeps.
        running: by the work that a worker has.
        locks: of the batches that are this sweep's.
        last_words: what workers said that ran out of memory.
        before: {path: time} of the files of failures that are to be tried again.
    """

    def __init__(
        self,
        summary: Summary,
        executor: LocalExecutor,
        observer: Observer,
        batches: Sequence[CellBatch],
        fail_fast: bool,
    ) -> None:
        self.summary, self.executor, self.observer, self.fail_fast = summary, executor, observer, fail_fast
        self.waiting = deque(Course(batch) for batch in batches)
        self.held: list[Course] = []
        self.running: dict[Training, Course] = {}
        self.locks: dict[Course, FileLock] = {}
        self.last_words: dict[Course, OutOfMemory] = {}
        failed = [cell for batch in batches for cell in batch.cells if cell.state in ("failed", "flawed")]
        self.before = {_watched(cell): _changed(_watched(cell)) for cell in failed}
        self.next_look = 0.0
        self.said_waiting = False

    def run(self) -> None:
        """Until every cell has a record."""
        while self.waiting or self.held or self.running:
            self._fill()
            if self.running:
                for event in self.executor.events(POLL if self.held else None):
                    self._take(event)
            elif self.held:
                self._wait()

    def stop(self) -> None:
        """End the workers, see what they had done, and let go of what is this sweep's."""
        self.executor.stop()
        for course in self.running.values():
            self._find_untold(course)
            with contextlib.suppress(UnwritableError):  # then they count as one attempt
                for cell in course.open:
                    measurements.forget_begun(_path(cell))
        for course in list(self.locks):
            self._leave(course)

    def _fill(self) -> None:
        """Start as much as there is room for, of what no other sweep runs."""
        if self.held and time.monotonic() >= self.next_look:
            self.waiting.extend(self.held)
            self.held.clear()
            self.next_look = time.monotonic() + POLL
        while self.waiting and self.executor.room(self.waiting[0].work()):
            course = self.waiting.popleft()
            if course not in self.locks and not self._enter(course):
                self.held.append(course)
            elif course.open:
                self._start(course)
            else:
                self._leave(course)

    def _wait(self) -> None:
        if not self.said_waiting:
            self.observer.waiting([course.batch for course in self.held])
            self.said_waiting = True
        time.sleep(POLL)

    def _enter(self, course: Course) -> bool:
        """Make a batch this sweep's, unless it is another's. What that has done meanwhile is not done again."""
        place = course.batch.cells[0].place
        lock = locks.of_batch(place)
        if not locks.try_lock(lock):
            return False
        self.locks[course] = lock
        store.remove_unfinished(place.folder)
        found = [(cell, _recorded(cell)) for cell in course.open if self._was_run_elsewhere(course.batch, cell)]
        for cell, _ in found:
            course.ended(cell)
        self.summary.elsewhere.update(outcome.status for _, outcome in found)
        self.summary.failures += [(cell, outcome) for cell, outcome in found if outcome.status != "ok"]
        if found:
            self.observer.elsewhere(course.batch, [outcome for _, outcome in found])
        return True

    def _was_run_elsewhere(self, batch: CellBatch, cell: Cell) -> bool:
        """Whether there is a record of it, with its measures, that the plan did not see."""
        status = store.status(_path(cell))
        if cell.state == "flawed" or (cell.state == "failed" and status != "ok"):
            return _changed(_watched(cell)) != self.before[_watched(cell)]
        return status is not None and not (status == "ok" and lacking(_path(cell), batch.measures))

    def _leave(self, course: Course) -> None:
        store.remove_unfinished(course.batch.cells[0].place.folder)
        self.locks.pop(course).release()

    def _start(self, course: Course) -> None:
        work, timeout = course.work(), self.executor.timeout
        self.executor.start(work, None if timeout is None else max(0.0, timeout - course.seconds))
        self.running[work] = course
        self.observer.begun(work.batch)

    def _take(self, event: Event) -> None:
        if not isinstance(event.work, Training):
            return
        course = self.running[event.work]
        if isinstance(event, Gone):
            del self.running[event.work]
            self._end(course, event)
            return
        report = event.report
        if isinstance(report, Started):
            course.started(report.cells)
        elif isinstance(report, Ended):
            course.ended(report.cell)
            self._count(course.batch, report)
        elif isinstance(report, OutOfMemory):
            self.last_words[course] = report
        elif isinstance(report, Failed):
            self._find_untold(course)
            outcome = Outcome(status="error", message=report.message, traceback=report.traceback)
            self._record(course.batch, course.failed(outcome))
        elif isinstance(report, Unwritable):
            raise UnwritableError(report.message)

    def _end(self, course: Course, gone: Gone) -> None:
        """What follows from the end of a worker: nothing, a second attempt, or records that it could not write."""
        course.seconds += gone.seconds
        words = self.last_words.pop(course, None)
        self._find_untold(course)
        if gone.stopped == "time":
            message = fate(gone, self.executor.timeout)
            begun = Outcome(status="timeout", message=message)
            waiting = Outcome(status="timeout", message=f"{message} before it came to this seed")
            self._record(course.batch, course.ran_out_of_time(begun, waiting))
        elif course.open:
            outcome = death(gone, words, self.executor.memory)
            self._record(course.batch, course.died(outcome))
            if course.open:
                self.observer.died(course.batch, outcome.message)
        if course.open:
            self.waiting.appendleft(course)
        else:
            self._leave(course)

    def _find_untold(self, course: Course) -> None:
        """Records, with their measures, that a worker wrote before it died, without telling any more."""
        for cell in course.open:
            if store.status(_path(cell)) == "ok" and not lacking(_path(cell), course.batch.measures):
                course.found(cell)
                flawed = flaws(_path(cell), course.batch.measures)
                self._count(course.batch, Ended(cell, _recorded(cell), 0.0, flawed))

    def _record(self, batch: CellBatch, endings: Sequence[Ending]) -> None:
        """Record cells whose worker could not do so itself; of those that have a score, that measures are lacking."""
        for cell, outcome in endings:
            record, ended = _path(cell), Ended(cell, outcome, 0.0)
            if store.status(record) == "ok":
                give_up(record, cell.identity.key, lacking(record, batch.measures), outcome.message)
                ended = Ended(cell, Outcome(), 0.0, flaws(record, batch.measures))
            else:
                store.write(cell.place, make_result(batch, cell, outcome))
            self._count(batch, ended)

    def _count(self, batch: CellBatch, ended: Ended) -> None:
        self.summary.outcomes[ended.outcome.status] += 1
        if ended.outcome.status != "ok":
            self.summary.failures.append((ended.cell, ended.outcome))
        self.summary.flaws += [(ended.cell, *flaw) for flaw in ended.flaws]
        self.observer.ended(batch, ended.cell, ended.outcome, ended.seconds)
        if self.fail_fast and (ended.outcome.status != "ok" or ended.flaws):
            raise FailedFastError


def _recorded(cell: Cell) -> Outcome:
    try:
        return store.read(_path(cell)).outcome
    except MmbenchError as error:
        return Outcome(status="error", message=str(error))


def _path(cell: Cell) -> Path:
    return cell.place.record(cell.identity.key)


def _watched(cell: Cell) -> Path:
    """The file that another attempt at a cell writes anew."""
    return measurements.path_of(_path(cell)) if cell.state == "flawed" else _path(cell)


def _changed(path: Path) -> int:
    """When a file was written, in nanoseconds; 0 if there is none."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _any(batch: CellBatch) -> bool:
    return bool(batch.cells)


def _size(batch: CellBatch) -> int:
    """A guess of what a batch costs, for the order: large ones first leave no long tail."""
    shapes = sum(prod(modality.shape) for modality in batch.prepared.task.modalities)
    return batch.prepared.sizes["train"] * len(batch.cells) * (shapes + 100)
