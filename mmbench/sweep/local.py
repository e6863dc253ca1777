"""The local executor: each piece of work in a process of its own, several side by side.

Processes are forked from a server that has torch imported already; the parent imports neither
torch nor a plugin's heavy code, and a piece of work that crashes, hangs or is killed costs itself.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from types import TracebackType
from typing import Literal, Self

from mmbench.sweep import family
from mmbench.sweep.devices import DevicePool
from mmbench.sweep.memory import Meter
from mmbench.sweep.server import Server
from mmbench.sweep.worker import Report, Work, main

LOOK, LONGEST_LOOK = 0.1, 0.5  # seconds between looks at the memory


@dataclass(frozen=True)
class Told:
    """Event: a worker's report."""

    work: Work
    report: Report


@dataclass(frozen=True)
class Gone:
    """Event: a worker has ended.

    Attributes:
        work: that it had.
        exit_code: minus the signal's number, if one killed it.
        seconds: that it ran.
        stopped: why the executor killed it, if it did.
        held: bytes of memory that it held then, if that is why.
    """

    work: Work
    exit_code: int
    seconds: float
    stopped: Literal["", "time", "memory"] = ""
    held: int = 0


Event = Told | Gone


@dataclass
class _Running:
    work: Work
    process: ForkServerProcess
    reports: Connection
    device: str | None
    seconds: float | None
    meter: Meter | None
    started: float = field(default_factory=time.monotonic)
    listening: bool = True
    stopped: Literal["", "time", "memory"] = ""
    held: int = 0

    @property
    def pid(self) -> int:
        if self.process.pid is None:
            raise RuntimeError("the process was not started")
        return self.process.pid

    @property
    def left(self) -> float | None:
        """Seconds until it has to be stopped."""
        return None if self.seconds is None else self.started + self.seconds - time.monotonic()


class LocalExecutor:
    """Runs work in at most ``workers`` processes at a time. Leaving its context ends all of them.

    Args:
        workers: processes side by side.
        threads: of each, on the CPU.
        timeout: seconds that a piece of work may take; None is no limit.
        memory: bytes that each may hold with all that it starts; None is no limit.
        devices: to be handed out to work that asks for one; each such worker sees one of them alone.
    """

    def __init__(
        self,
        workers: int,
        threads: int = 1,
        timeout: float | None = None,
        memory: int | None = None,
        devices: Sequence[str] = (),
    ) -> None:
        self.workers, self.threads, self.timeout, self.memory = workers, threads, timeout, memory
        self._devices = DevicePool(devices)
        self._server = Server(threads)
        self._running: list[_Running] = []
        self._look = 0.0  # when to look at the memory again

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._server.close()

    @property
    def busy(self) -> bool:
        """Whether anything runs."""
        return bool(self._running)

    def room(self, work: Work) -> bool:
        """Whether this work can be started now."""
        return len(self._running) < self.workers and (not work.on_device or self._devices.has_room(work.exclusive))

    def start(self, work: Work, seconds: float | None = None) -> None:
        """Give work to a process of its own.

        Args:
            work: for which there is room.
            seconds: that are left for it; None means the executor's timeout.
        """
        device = self._devices.take(work.exclusive) if work.on_device else None
        process, reports = self._server.start(main, work, device=device)
        seconds = self.timeout if seconds is None else seconds
        running = _Running(work, process, reports, device, seconds, None)
        if self.memory is not None:
            running.meter = Meter(running.pid, self.memory)
        self._running.append(running)

    def events(self, patience: float | None = None) -> Iterator[Event]:
        """What has happened, after waiting for it at most ``patience`` seconds."""
        ready = wait(self._sources(), self._patience(patience))
        looks = self.memory is not None and time.monotonic() >= self._look
        began = time.monotonic()
        for running in list(self._running):
            if running.reports in ready:
                yield from self._told(running)
            if looks or running.left is not None:
                self._limit(running)
            if not running.process.is_alive():
                yield from self._gone(running)
        if looks:  # where to look takes long, it is done less often
            self._look = time.monotonic() + min(max(LOOK, 10 * (time.monotonic() - began)), LONGEST_LOOK)

    def kill(self) -> None:
        """Kill every worker, with all that it started, and wait for none."""
        for running in list(self._running):
            family.kill(running.pid)

    def stop(self) -> None:
        """Kill every worker, with all that it started."""
        self.kill()
        for running in self._running:
            running.process.join()
            self._server.clear(running.pid)
            running.reports.close()
            self._devices.give_back(running.device)
        self._running.clear()

    def _sources(self) -> list[Connection | int]:
        reports = [running.reports for running in self._running if running.listening]
        return [*reports, *(running.process.sentinel for running in self._running)]

    def _patience(self, patience: float | None) -> float | None:
        """Until the next time limit, the next look at the memory, or as long as the caller wants."""
        times = [running.left for running in self._running if running.left is not None]
        if patience is not None:
            times.append(patience)
        if self.memory is not None and self._running:
            times.append(self._look - time.monotonic())
        return max(0.0, min(times)) if times else None

    def _limit(self, running: _Running) -> None:
        """Stop a worker that has passed its limit of time or memory."""
        if not running.process.is_alive():
            return
        if running.left is not None and running.left <= 0:
            running.stopped = "time"
        elif running.meter is not None and (held := running.meter.excess()) is not None:
            running.stopped, running.held = "memory", held
        else:
            return
        family.kill(running.pid)
        running.process.join()

    def _gone(self, running: _Running) -> Iterator[Event]:
        """The last reports of a worker that has ended, and its end; what it started may have outlived it."""
        self._server.clear(running.pid)
        yield from self._told(running)
        self._running.remove(running)
        self._devices.give_back(running.device)
        running.process.join()
        running.reports.close()
        seconds = time.monotonic() - running.started
        yield Gone(running.work, running.process.exitcode or 0, seconds, running.stopped, running.held)

    @staticmethod
    def _told(running: _Running) -> Iterator[Told]:
        try:
            while running.listening and running.reports.poll():
                yield Told(running.work, running.reports.recv())
        except (EOFError, OSError):
            running.listening = False  # the worker has closed its end
