"""The worker: one measurement in a process of its own. It writes its record itself."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from mmbench.results.schema import Outcome
from mmbench.results.store import UnwritableError
from mmbench.results.throughput import Throughput, write_throughput
from mmbench.sweep.faults import is_out_of_memory, message_of, traceback_of
from mmbench.sweep.worker import Ended, Failed, OutOfMemory, Report, Training, Unwritable, run_apart


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
    run_apart(partial(_measure, work, reports.send, order, record), device)


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
