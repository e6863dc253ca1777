"""The worker: one measurement in a process of its own. It writes its record itself."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from mmbench.results.schema import Outcome
from mmbench.results.store import UnwritableError
from mmbench.results.throughput import Throughput, write_throughput
from mmbench.sweep import family
from mmbench.sweep.faults import is_out_of_memory, message_of, traceback_of
from mmbench.sweep.worker import Ended, Failed, OutOfMemory, Report, Training, Unwritable


@dataclass(frozen=True)
class Order:
    """How measurements of a command are made.

    Attributes:
        out: folder of the results.
        steps, seconds: of the timing, at least.
        memory: bytes that batches may take on a CPU; None is half of what is free.
    """

    out: Path
    steps: int
    seconds: float
    memory: int | None = None


def main(work: Training, reports: Connection, device: str | None, order: Order, record: Throughput) -> None:
    """Entry of the worker's process; as that of a sweep's.

    Args:
        work: whose batch names the method and the data.
        reports: where reports go.
        device: the one CUDA device that the worker may see; None leaves what the caller allows.
        order: how it is measured.
        record: without any figure, to be filled in.
    """
    if device is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = device  # before anything asks CUDA what there is
    os.setsid()  # a group of its own, so that the parent can end it with all that it started
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends its workers
    family.die_with_parent()
    family.adopt_orphans()
    code = 1
    with contextlib.suppress(BaseException):  # nothing can be told any more: the exit code has to do
        _measure(work, reports.send, order, record)
        code = 0
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)  # without waiting for threads and processes that a plugin has left


def _measure(work: Training, tell: Callable[[Report], None], order: Order, record: Throughput) -> None:
    from mmbench.throughput.measure import measure
    from mmbench.throughput.timing import Pace

    started = time.perf_counter()
    try:
        found = measure(work.batch, Pace(order.steps, order.seconds), order.memory)
        seconds = round(time.perf_counter() - started, 2)
        write_throughput(order.out, record.model_copy(update={**vars(found), "seconds": seconds}))
        tell(Ended(work.batch.cells[0], Outcome(), seconds))
    except UnwritableError as error:
        tell(Unwritable(str(error)))
    except BaseException as error:  # whatever a plugin raises, sys.exit too, is told and costs its work alone
        report = OutOfMemory if is_out_of_memory(error) else Failed
        tell(report(message_of(error), traceback_of(error)))
