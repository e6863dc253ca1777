"""Which batch sizes are measured, which is the largest, and what stands in a row."""

import numpy as np
import pytest

from mmbench.core.arithmetic import Arithmetic
from mmbench.throughput.flops import Counted
from mmbench.throughput.measure import Bench, row_of
from mmbench.throughput.steps import Steps
from mmbench.throughput.timing import Pace, Times

PACE = Pace(steps=5, seconds=0.0)


class Made(Steps):
    """Steps whose seconds, bytes and faults are functions of the batch."""

    def __init__(self, set_clock, rows=10**9, seconds=lambda batch: 1e-3 * batch, fault=lambda batch: None):
        self.rows, self.seconds, self.fault = rows, seconds, fault
        self.clock = set_clock([0.0])
        self.asked = []

    def at(self, batch):
        self.asked.append(batch)
        if error := self.fault(batch):
            raise error
        self.clock.seconds = [self.seconds(batch)]
        return lambda: None

    def flops(self):
        return Counted(1e6)


class Held:
    """A peak of memory that holds so many bytes a row, and a megabyte besides."""

    def __init__(self, steps, each):
        self.steps, self.each, self.begun = steps, each, len(steps.asked)

    def bytes(self):
        asked = self.steps.asked[self.begun :]
        return 2**20 + self.each * (asked[-1] if asked else 0)


def bench(steps, device="cpu", memory=2**40, each=0):
    made = Bench(Arithmetic(device=device), PACE, memory, peak=1e9, counter="no counter")
    made.held = lambda: Held(steps, each)
    return made


def sizes(phase):
    return [row.batch for row in phase.rows]


def test_a_row_says_what_the_times_say():
    times = Times(np.arange(1, 102) / 1e3, warm_up=20, stable=False)
    row = row_of(32, times, Counted(2e6), peak=1e10, held=123, energy=4.5)
    assert (row.median_ms, row.p5_ms, row.p95_ms, row.p99_ms) == (51, 6, 96, 100)
    assert row.samples_per_second == pytest.approx(32 / 0.051, rel=1e-4)
    assert row.flops_per_second == pytest.approx(2e6 * 32 / 0.051, rel=1e-4)
    assert row.share_of_peak == pytest.approx(2e6 * 32 / 0.051 / 1e10, rel=1e-4)
    assert (row.steps, row.warm_up, row.stable, row.peak_bytes, row.joules_per_1000) == (101, 20, False, 123, 4.5)


def test_what_is_not_known_is_left_open():
    row = row_of(1, Times(np.array([1.0]), 10, True), Counted(reason="why"), peak=1e10)
    assert (row.flops_per_second, row.share_of_peak, row.peak_bytes, row.joules_per_1000) == (None,) * 4


def test_where_a_larger_batch_is_no_faster_256_is_the_largest(set_clock):
    phase = bench(steps := Made(set_clock)).phase(steps)
    assert sizes(phase) == [1, 32, 256]
    assert phase.largest.batch == 256
    assert phase.limit == "512 rows at once give less than 5% more samples a second"
    assert steps.asked == [1, 32, 256, 512]


def test_the_batch_is_doubled_while_it_gets_faster(set_clock):
    phase = bench(steps := Made(set_clock, seconds=lambda batch: 1e-3 * max(batch, 2048) / 2048)).phase(steps)
    assert sizes(phase) == [1, 32, 256, 2048]
    assert [row.largest for row in phase.rows] == [False, False, False, True]


@pytest.mark.parametrize(
    ("rows", "expected"), [(1000, [1, 32, 256, 512]), (40, [1, 32]), (200, [1, 32, 128]), (1, [1])]
)
def test_on_a_cpu_no_batch_is_larger_than_the_split(set_clock, rows, expected):
    phase = bench(steps := Made(set_clock, rows=rows, seconds=lambda batch: 1e-3)).phase(steps)
    assert sizes(phase) == expected
    assert phase.limit == f"the train split has {rows} rows"
    assert phase.largest.batch == expected[-1]


def test_no_step_takes_much_more_than_two_seconds(set_clock):
    phase = bench(steps := Made(set_clock, seconds=lambda batch: 0.03 * batch)).phase(steps)
    assert sizes(phase) == [1, 32]
    assert max(steps.asked) == 64
    assert phase.limit == "64 rows at once give less than 5% more samples a second"
    phase = bench(steps := Made(set_clock, seconds=lambda batch: 1.5)).phase(steps)
    assert sizes(phase) == [1]
    assert phase.limit == "a step of 2 rows would take more than 2 s"


def test_on_a_cpu_no_batch_takes_more_memory_than_it_may(set_clock):
    steps = Made(set_clock, seconds=lambda batch: 1e-3)
    phase = bench(steps, memory=2**30, each=2**20).phase(steps)
    assert sizes(phase) == [1, 32, 256, 1024]
    assert phase.limit == "2048 rows at once would take more than 1.0 GiB (--memory)"
    assert max(steps.asked) == 1024


def test_on_a_gpu_the_batch_is_doubled_until_there_is_no_memory(set_clock):
    steps = Made(set_clock, rows=100, fault=lambda batch: MemoryError("no more") if batch > 1024 else None)
    steps.seconds = lambda batch: 1e-6 * batch
    phase = bench(steps, device="cuda").phase(steps)
    assert sizes(phase) == [1, 32, 256, 1024]
    assert phase.limit == "2048 rows at once: out of memory: no more"


def test_a_batch_that_does_not_fit_costs_itself_alone(set_clock):
    steps = Made(set_clock, fault=lambda batch: MemoryError() if batch > 40 else None)
    phase = bench(steps, device="cuda").phase(steps)
    assert sizes(phase) == [1, 32]
    assert phase.limit == "64 rows at once: out of memory"


def test_any_other_fault_is_no_matter_of_size(set_clock):
    steps = Made(set_clock, fault=lambda batch: ValueError("the flux") if batch == 32 else None)
    with pytest.raises(ValueError, match="the flux"):
        bench(steps).phase(steps)


def test_not_even_one_row_fits(set_clock):
    steps = Made(set_clock, fault=lambda batch: MemoryError("no more"))
    with pytest.raises(MemoryError):
        bench(steps, device="cuda").phase(steps)
