"""The command: one measurement after the other, each in a fresh process, with nothing else beside it."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any

from mmbench.core.arithmetic import Arithmetic
from mmbench.core.errors import MmbenchError
from mmbench.results import provenance
from mmbench.results.schema import Outcome, Provenance
from mmbench.results.store import UnwritableError
from mmbench.results.throughput import (
    DeviceSetting,
    Throughput,
    ThroughputIdentity,
    found_throughput,
    write_throughput,
)
from mmbench.sweep.choices import DatasetChoice, MethodChoice
from mmbench.sweep.devices import VISIBLE
from mmbench.sweep.fate import fate
from mmbench.sweep.local import Gone, LocalExecutor, Told
from mmbench.sweep.observer import Observer
from mmbench.sweep.plan import CellBatch, Settings, Skip, make_plan
from mmbench.sweep.record import make_result
from mmbench.sweep.run import prepare_datasets
from mmbench.sweep.server import Server
from mmbench.sweep.worker import Ended, Failed, OutOfMemory, Training, Unwritable, Work
from mmbench.throughput.worker import Order, main

BUSY = 0.5  # load over the last minute, above which something else runs
ASK_FOR_NAME = "import torch; print(torch.cuda.get_device_name())"

Say = Callable[[str], None]


@dataclass
class Summary:
    """What became of a command.

    Attributes:
        records: of all that was asked for, in the order of the plan.
        kept: how many of them there were before.
        skipped: combinations that cannot be, with the reason.
        broken: datasets that could not be made, with the reason.
    """

    records: list[Throughput] = field(default_factory=list)
    kept: int = 0
    skipped: list[Skip] = field(default_factory=list)
    broken: list[Skip] = field(default_factory=list)

    @property
    def well(self) -> bool:
        """Whether all that was asked for has figures."""
        return not self.broken and all(record.ok for record in self.records)


class ThroughputServer(Server):
    """A server whose processes measure.

    Args:
        threads: of each process, on the CPU.
        order: how they measure.

    Attributes:
        record: of the next one, without any figure.
    """

    record: Throughput

    def __init__(self, threads: int, order: Order) -> None:
        super().__init__(threads)
        self.order = order

    def start(self, target: Any, work: Work, **settings: object) -> tuple[ForkServerProcess, Connection]:
        if not isinstance(work, Training):
            return super().start(target, work, **settings)
        return super().start(main, work, order=self.order, record=self.record, **settings)


class ThroughputExecutor(LocalExecutor):
    """Runs measurements, one at a time.

    Args:
        arithmetic: of all of them.
        order: how they are made.
        timeout: seconds that one may take; None is no limit.
        devices: the first of them is used.
    """

    def __init__(
        self, arithmetic: Arithmetic, order: Order, timeout: float | None = None, devices: Sequence[str] = ()
    ) -> None:
        super().__init__(1, arithmetic.threads, timeout, devices=devices[:1])
        self.setting = setting_of(arithmetic, devices[0] if devices else None)
        self.order = order
        self._server: ThroughputServer = ThroughputServer(arithmetic.threads, order)

    def measure(self, batch: CellBatch, empty: Throughput) -> Throughput:
        """The record of one measurement, which then is in its file.

        Args:
            batch: names the method and the data.
            empty: the record without any figure.

        Raises:
            UnwritableError: if it cannot be kept.
        """
        self._server.record = empty
        self.start(Training(batch, (1,)))
        said: Outcome | None = None
        while self.busy:
            for event in self.events():
                if isinstance(event, Gone):
                    said = said or Outcome(
                        status="timeout" if event.stopped == "time" else "killed", message=fate(event, self.timeout)
                    )
                elif isinstance(event, Told) and isinstance(event.report, Unwritable):
                    raise UnwritableError(event.report.message)
                elif isinstance(event, Told):
                    said = _outcome(event.report) or said
        if said is not None and said.status == "ok":
            found = found_throughput(self.order.out, empty.identity)
            if found is not None:
                return found
            said = Outcome(status="error", message="its record has vanished or was replaced by another command's")
        failed = empty.model_copy(update={"outcome": said or Outcome(status="killed", message="it told nothing")})
        write_throughput(self.order.out, failed)
        return failed


def measure_all(
    methods: Sequence[MethodChoice],
    datasets: Sequence[DatasetChoice],
    settings: Settings,
    executor: ThroughputExecutor,
    observer: Observer,
    say: Say,
    *,
    again: bool = False,
) -> Summary:
    """Measure every method on every dataset that it can do.

    Args:
        methods, datasets: that are asked for.
        settings: of one seed; its arithmetic is the executor's.
        executor: of the measurements.
        observer: is told which data are made.
        say: is told a line for each measurement.
        again: whether to measure what there is a record of.

    Raises:
        UnwritableError: if records cannot be kept.
    """
    load = tuple(round(value, 2) for value in os.getloadavg())
    busy = load[0] > BUSY
    prepared, broken = prepare_datasets(datasets, executor, observer)
    plan = make_plan(methods, prepared, settings)
    summary = Summary(skipped=list(plan.skipped), broken=broken)
    if busy and plan.batches:
        averages = ", ".join(f"{value:g}" for value in load)
        say(f"the machine is busy (load {averages}): steps take longer than they need; --again measures anew")
    for number, batch in enumerate(plan.batches, start=1):
        identity = identity_of(batch, executor)
        found = None if again else found_throughput(executor.order.out, identity)
        if found is None:
            empty = Throughput(identity=identity, load=load, busy=busy, provenance=_provenance(batch, identity))
            record, what = executor.measure(batch, empty), "measured"
        else:
            record, what = found, "done before"
            summary.kept += 1
        summary.records.append(record)
        said = what if record.ok else f"{record.outcome.status}: {record.outcome.message}"
        failed_before = " (before; --again tries it once more)" if found is not None and not record.ok else ""
        say(f"[{number:>3}/{len(plan.batches)}] {batch.method.spec} on {batch.dataset.spec}: {said}{failed_before}")
    return summary


def setting_of(arithmetic: Arithmetic, device: str | None) -> DeviceSetting:
    """The arithmetic with the names of what computes it.

    Args:
        arithmetic: of the measurements.
        device: as CUDA names it; None for a CPU.
    """
    name = str(provenance.hardware()["cpu"] or "") if device is None else device_name(device)
    return DeviceSetting(
        device=arithmetic.device,
        name=name,
        dtype=arithmetic.dtype,
        threads=arithmetic.threads,
        compiled=arithmetic.compiled,
        torch=provenance.libraries()["torch"],
    )


def device_name(device: str) -> str:
    """What torch calls a CUDA device; asked in a process of its own, since this one must not start CUDA.

    Raises:
        MmbenchError: if it does not answer.
    """
    environment = {**os.environ, VISIBLE: device}
    done = subprocess.run(
        [sys.executable, "-c", ASK_FOR_NAME], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise MmbenchError(f"--device cuda: device {device} does not answer: {reason}")
    return done.stdout.strip()


def identity_of(batch: CellBatch, executor: ThroughputExecutor) -> ThroughputIdentity:
    """Of one measurement."""
    cell = batch.cells[0].identity
    shared = {name: getattr(cell, name) for name in ThroughputIdentity.model_fields if name in type(cell).model_fields}
    order = executor.order
    return ThroughputIdentity(**shared, setting=executor.setting, steps=order.steps, seconds=order.seconds)


def _provenance(batch: CellBatch, identity: ThroughputIdentity) -> Provenance:
    setting = identity.setting
    device = setting.name if setting.device == "cuda" else ""
    return make_result(batch, batch.cells[0], Outcome(), device=device).provenance


def _outcome(report: object) -> Outcome | None:
    """What a worker's report says of the end of its measurement."""
    if isinstance(report, Ended):
        return Outcome()
    if isinstance(report, OutOfMemory):
        return Outcome(status="killed", message=report.message, traceback=report.traceback)
    if isinstance(report, Failed):
        return Outcome(status="error", message=report.message, traceback=report.traceback)
    return None
