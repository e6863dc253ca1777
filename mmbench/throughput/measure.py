"""One measurement: a method on a dataset, all phases and batch sizes, in a process of its own."""

from dataclasses import dataclass, replace
from typing import Literal

import torch

from mmbench.core.arithmetic import Arithmetic
from mmbench.core.training import Training
from mmbench.data.splits import Splits
from mmbench.nn.models import Estimator
from mmbench.results.throughput import BATCHES, ThroughputPhase, ThroughputRow
from mmbench.sweep.batch import import_plugins, load_data
from mmbench.sweep.cell import begin, fit_anew
from mmbench.sweep.faults import is_out_of_memory, message_of
from mmbench.sweep.plan import CellBatch
from mmbench.throughput.energy import Joules, energy_counter, joules_per_1000
from mmbench.throughput.flops import Counted
from mmbench.throughput.memory import fresh_peak, usual_limit
from mmbench.throughput.peak import measured_peak
from mmbench.throughput.steps import EstimatorSteps, InferenceSteps, Steps, TrainingSteps
from mmbench.throughput.timing import Pace, Times, glance, time_step
from mmbench.train.arithmetic import set_up
from mmbench.train.objective import Objective
from mmbench.train.peak import PeakMemory
from mmbench.train.run import ModelEstimator

GROWTH = 1.05  # of the samples per second, below which a larger batch gains nothing on a CPU
SLOWEST = 2.0  # seconds of a step, beyond which no larger batch is tried
NOT_TRAINED_HERE = "an estimator trains in its own way: there is no step"


@dataclass(frozen=True)
class Measured:
    """What a measurement gave; the attributes are those of ``Throughput``."""

    kind: Literal["model", "estimator"]
    train: ThroughputPhase
    predict: ThroughputPhase
    peak_flops_per_second: float
    energy_reason: str


@dataclass
class Bench:
    """What rows are measured with.

    Attributes:
        arithmetic: of the process.
        pace: of the timing.
        memory: bytes that batches may take on a CPU.
        peak: FLOP/s of the device.
        counter: of its energy, or why there is none.
    """

    arithmetic: Arithmetic
    pace: Pace
    memory: int
    peak: float
    counter: Joules | str

    def held(self) -> PeakMemory:
        """The peak of memory from now on."""
        return fresh_peak(self.arithmetic.device)

    def phase(self, steps: Steps) -> ThroughputPhase:
        """Every batch size that is possible, then the largest."""
        flops = steps.flops()
        empty = self.held().bytes()
        rows = [self.row(steps, BATCHES[0], flops)]
        for batch in BATCHES[1:]:
            if self._refuses(steps, batch, rows[-1].batch, rows[-1].median_ms / 1e3, _beyond(rows[-1], empty)):
                break  # the doubling below tells why
            try:
                rows.append(self.row(steps, batch, flops))
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                break
        batch, limit = self.largest(steps, rows[-1], empty)
        if batch != rows[-1].batch:
            rows.append(self.row(steps, batch, flops))
        rows[-1] = rows[-1].model_copy(update={"largest": True})
        return ThroughputPhase(
            rows=tuple(rows),
            limit=limit,
            flops_per_sample=None if flops.per_sample is None else round_to(flops.per_sample, 8),
            flops_reason=flops.reason,
            uncounted=flops.uncounted,
        )

    def row(self, steps: Steps, batch: int, flops: Counted) -> ThroughputRow:
        """One batch size."""
        held = self.held()
        step = steps.at(batch)
        times = time_step(step, steps.clock, self.pace)
        energy = None if isinstance(self.counter, str) else joules_per_1000(self.counter, step, times.median, batch)
        return row_of(batch, times, flops, self.peak, held.bytes(), energy, steps.compiled)

    def largest(self, steps: Steps, last: ThroughputRow, empty: int | None) -> tuple[int, str]:
        """Double the batch from the last one on.

        Args:
            steps: of the phase.
            last: the largest batch so far.
            empty: bytes that are held without any batch, where they are known.

        Returns:
            The largest that fits (on a CPU: and gives more samples a second than half of it does); why no larger
            one is.
        """
        batch, seconds, taken = last.batch, last.median_ms / 1e3, _beyond(last, empty)
        while True:
            wanted = 2 * batch
            if reason := self._refuses(steps, wanted, batch, seconds, taken):
                return batch, reason
            try:
                mark = self.held()
                longer = glance(steps.at(wanted), steps.clock)
            except Exception as error:  # besides memory, kernels have limits of their own
                return batch, f"{wanted} rows at once: {message_of(error)}"
            if self.arithmetic.device == "cpu" and wanted / longer < GROWTH * batch / seconds:
                return batch, f"{wanted} rows at once give less than {GROWTH - 1:.0%} more samples a second"
            held = mark.bytes()
            batch, seconds, taken = wanted, longer, None if held is None or empty is None else held - empty

    def _refuses(self, steps: Steps, wanted: int, batch: int, seconds: float, taken: int | None) -> str:
        """Why a batch is not tried; empty if it is. A smaller one took so many seconds and bytes."""
        on_cpu, times = self.arithmetic.device == "cpu", wanted / batch
        if on_cpu and wanted > steps.rows:  # on a GPU rows are repeated: its memory is what bounds a batch there
            return f"the train split has {steps.rows} rows"
        if times * seconds > SLOWEST:
            return f"a step of {wanted} rows would take more than {SLOWEST:g} s"
        if on_cpu and taken is not None and times * taken > self.memory:
            return f"{wanted} rows at once would take more than {self.memory / 2**30:.1f} GiB (--memory)"
        return ""


def _beyond(row: ThroughputRow, empty: int | None) -> int | None:
    """Bytes that a batch took, where they are known."""
    return None if row.peak_bytes is None or empty is None else row.peak_bytes - empty


def measure(batch: CellBatch, pace: Pace, memory: int | None = None) -> Measured:
    """Measure the method of a batch of cells on its dataset.

    Args:
        batch: its arithmetic, its method and its data; what it says of seeds is not looked at.
        pace: of the timing.
        memory: bytes that batches may take on a CPU; None is half of what is free.
    """
    arithmetic = batch.settings.arithmetic
    set_up(arithmetic)
    import_plugins(batch)
    splits = load_data(batch)
    begun = begin(batch, splits, seed=0)
    if isinstance(begun.estimator, ModelEstimator):
        objective, options = begun.run.prepare(begun.estimator.build, splits.train)
        bench = ready(arithmetic, pace, memory)
        kind: Literal["model", "estimator"] = "model"
        train, predict = measure_model(bench, objective, options, splits)
    else:
        estimator = fitted_shortly(batch, splits)
        bench = ready(arithmetic, pace, memory)
        kind, train = "estimator", ThroughputPhase(reason=NOT_TRAINED_HERE)
        predict = bench.phase(EstimatorSteps(estimator, splits.train))
    return Measured(kind, train, predict, round_to(bench.peak), bench.counter if isinstance(bench.counter, str) else "")


def ready(arithmetic: Arithmetic, pace: Pace, memory: int | None) -> Bench:
    """The bench of a process, with the peak measured."""
    return Bench(arithmetic, pace, memory or usual_limit(), measured_peak(arithmetic), energy_counter(arithmetic))


def measure_model(
    bench: Bench, objective: Objective, options: Training, splits: Splits
) -> tuple[ThroughputPhase, ThroughputPhase]:
    """Training and inference of a fusion model, untrained: what its numbers are does not change their times."""
    steps = TrainingSteps(objective, options, splits.train)
    train = bench.phase(steps)
    steps.restore()
    objective.requires_grad_(True)
    objective.eval()
    with torch.no_grad():
        objective.finish(splits.train, splits.validation)
    return train, bench.phase(InferenceSteps(objective.model, bench.arithmetic, splits.train))


def fitted_shortly(batch: CellBatch, splits: Splits) -> Estimator:
    """An estimator, fitted: for one epoch where the suite's trainer does it, else as it always is."""
    short = replace(batch, method=replace(batch.method, training={**batch.method.training, "epochs": 1}))
    return fit_anew(short, splits, 0).estimator


def row_of(
    batch: int,
    times: Times,
    flops: Counted,
    peak: float,
    held: int | None = None,
    energy: float | None = None,
    compiled: bool = False,
) -> ThroughputRow:
    """The figures of one batch size."""
    achieved = None if flops.per_sample is None else flops.per_sample * batch / times.median
    return ThroughputRow(
        batch=batch,
        compiled=compiled,
        steps=len(times.seconds),
        warm_up=times.warm_up,
        stable=times.stable,
        median_ms=round_to(times.milliseconds(50)),
        p5_ms=round_to(times.milliseconds(5)),
        p95_ms=round_to(times.milliseconds(95)),
        p99_ms=round_to(times.milliseconds(99)),
        samples_per_second=round_to(batch / times.median),
        flops_per_second=None if achieved is None else round_to(achieved),
        share_of_peak=None if achieved is None else round_to(achieved / peak),
        peak_bytes=held,
        joules_per_1000=None if energy is None else round_to(energy),
    )


def round_to(value: float, digits: int = 5) -> float:
    return float(f"{value:.{digits}g}")
