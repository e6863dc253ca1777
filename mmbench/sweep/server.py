"""The server that workers are forked from, and the guard beside it."""

import contextlib
import multiprocessing
import os
import secrets
from collections.abc import Callable, Iterator
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess

from mmbench.signals import without_interrupts
from mmbench.sweep import family, guard
from mmbench.sweep.worker import Work

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# glibc gives large blocks back to the system at once, and each batch would fault the same pages in again:
# a third to a half of the time of evaluating image models. Other systems do not read these.
KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**32), "MALLOC_TRIM_THRESHOLD_": str(2**32)}
QUIET = "ignore:resource_tracker"  # it tidies up after workers that were killed, and need not say so


class Server:
    """Starts processes that have torch imported already, and knows all that descends from them.

    Args:
        threads: of each process, on the CPU.
    """

    def __init__(self, threads: int) -> None:
        self._environment = {
            **dict.fromkeys(THREADS, str(threads)),  # numerical libraries read it when they are loaded, in the server
            **KEPT_MEMORY,
            "PYTORCH_NVML_BASED_CUDA_CHECK": "1",  # to ask whether there is CUDA must not start it before a fork
            family.MARK: secrets.token_hex(8),
        }
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._guard: ForkServerProcess | None = None
        self._lifeline: Connection | None = None

    def start(
        self, target: Callable[..., None], work: Work, **settings: object
    ) -> tuple[ForkServerProcess, Connection]:
        """Start ``target(work, reports, **settings)``. What the first work imports is imported in the server.

        Returns:
            The process, and the end of the pipe on which its reports arrive.
        """
        if self._guard is None:
            self._context.set_forkserver_preload([*work.imports, "mmbench.sweep.preload"])
            self._start_guard()
        arriving, reports = self._context.Pipe(duplex=False)
        process = self._context.Process(target=target, args=(work, reports), kwargs=settings)
        self._fork(process)
        reports.close()
        return process, arriving

    def clear(self, worker: int) -> None:
        """Kill what a worker has left that has ended."""
        guards = () if self._guard is None else (self._guard.pid,)
        family.clear(worker, self._mark, spared=guards)

    def close(self) -> None:
        """End the server and all that is left of it."""
        if self._lifeline is None or self._guard is None:
            return
        self._lifeline.close()
        self._guard.join()
        self._guard = self._lifeline = None
        family.adopt_orphans(False)

    @property
    def _mark(self) -> str:
        return self._environment[family.MARK]

    def _start_guard(self) -> None:
        family.adopt_orphans()
        guarded, self._lifeline = self._context.Pipe(duplex=False)
        process = self._context.Process(target=guard.main, args=(guarded, self._mark), daemon=True)
        self._fork(process)
        guarded.close()
        self._guard = process

    def _fork(self, process: ForkServerProcess) -> None:
        """Start a process, after the server if that does not run (any more)."""
        with _environment({"PYTHONWARNINGS": QUIET}):
            resource_tracker.ensure_running()  # it is not marked: multiprocessing wants to end it itself
        with _environment(self._environment):
            with without_interrupts():
                forkserver.ensure_running()
            process.start()


@contextlib.contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
