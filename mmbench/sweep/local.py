"""The local executor: each piece of work in a process of its own, several side by side.

Processes are forked from a server that has torch imported already; the parent imports neither
torch nor a plugin's heavy code, and a piece of work that crashes, hangs or is killed costs itself.
"""

import contextlib
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, ForkServerProcess

from mmbench.sweep.worker import Report, Work, main

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Begun:
    """Event: a worker has taken up this work."""

    work: Work


@dataclass(frozen=True)
class Told:
    """Event: a worker's report."""

    work: Work
    report: Report


@dataclass(frozen=True)
class Gone:
    """Event: a worker has ended: with an exit code (minus the signal's number, if one killed it);
    ``timeout`` says that the executor killed it for its time."""

    work: Work
    exit_code: int
    timeout: bool = False


Event = Begun | Told | Gone


@dataclass
class _Running:
    work: Work
    process: ForkServerProcess
    reports: Connection
    lifeline: Connection
    started: float = field(default_factory=time.monotonic)
    timed_out: bool = False


class LocalExecutor:
    """Runs work in ``workers`` processes at a time.

    Args:
        workers: processes side by side.
        threads: of each, on the CPU.
        timeout: seconds that a piece of work may take; None is no limit.
    """

    def __init__(self, workers: int, threads: int = 1, timeout: float | None = None) -> None:
        self.workers, self.threads, self.timeout = workers, threads, timeout
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._running: list[_Running] = []

    def run(self, works: Iterable[Work]) -> Iterator[Event]:
        """Events as they come. Closing the iterator, or an exception in its user, ends all workers."""
        waiting = deque(works)
        if waiting:
            self._start_server()
        try:
            while waiting or self._running:
                while waiting and len(self._running) < self.workers:
                    self._running.append(self._start(waiting.popleft()))
                    yield Begun(self._running[-1].work)
                yield from self._listen()
        finally:
            self.stop()

    def stop(self) -> None:
        """Kill every worker, with all that it started."""
        for running in self._running:
            self._kill(running)
        for running in self._running:
            running.process.join()
        self._running.clear()

    def _start_server(self) -> None:
        """Numerical libraries read their number of threads when they are loaded, in the server."""
        before = {name: os.environ.get(name) for name in THREADS}
        os.environ.update(dict.fromkeys(THREADS, str(self.threads)))
        try:
            self._context.set_forkserver_preload(["mmbench.sweep.preload"])
            from multiprocessing import forkserver

            forkserver.ensure_running()
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value

    def _start(self, work: Work) -> _Running:
        reports, reports_end = self._context.Pipe(duplex=False)
        lifeline_end, lifeline = self._context.Pipe(duplex=False)
        process = self._context.Process(target=main, args=(work, reports_end, lifeline_end, self.threads))
        process.start()
        reports_end.close()
        lifeline_end.close()
        return _Running(work, process, reports, lifeline)

    def _listen(self) -> Iterator[Event]:
        """Wait for the next reports, ends and timeouts."""
        patience = None
        if self.timeout is not None:
            oldest = min(running.started for running in self._running)
            patience = max(0.0, oldest + self.timeout - time.monotonic())
        sources = [x for running in self._running for x in (running.reports, running.process.sentinel)]
        ready = set(wait(sources, patience))
        for running in list(self._running):
            if running.reports in ready or running.process.sentinel in ready:
                yield from self._reports(running)
            late = self.timeout is not None and time.monotonic() - running.started >= self.timeout
            if late and running.process.is_alive():
                running.timed_out = True
                self._kill(running)
                running.process.join()
                yield from self._reports(running)
            if not running.process.is_alive():
                yield from self._reports(running)
                self._running.remove(running)
                self._kill(running)  # what it started may have outlived it
                running.process.join()
                running.lifeline.close()
                running.reports.close()
                yield Gone(running.work, running.process.exitcode or 0, running.timed_out)

    @staticmethod
    def _reports(running: _Running) -> Iterator[Told]:
        with contextlib.suppress(EOFError, OSError):
            while running.reports.poll():
                yield Told(running.work, running.reports.recv())

    @staticmethod
    def _kill(running: _Running) -> None:
        pid = running.process.pid
        if pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            if running.process.is_alive():
                running.process.kill()  # before it had a group of its own
