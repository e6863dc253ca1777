"""The peak of a device, its energy, its memory."""

import sys

import numpy as np
import pytest
import torch

from mmbench.core.arithmetic import Arithmetic
from mmbench.throughput import energy, peak
from mmbench.throughput.memory import fresh_peak, usual_limit


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_the_peak_is_a_rate_of_real_products(monkeypatch, dtype):
    monkeypatch.setattr(peak, "SIDES", (64, 128))
    monkeypatch.setattr(peak, "CHANNELS", (8, 16))
    assert 0 < peak.measured_peak(Arithmetic(dtype=dtype)) < 1e17


@pytest.fixture
def peak_of(monkeypatch, set_clock):
    """The measured peak, where operations take the given seconds; matrix products of sides 8, 16 and 32, then
    convolutions of 4 and 8 channels."""

    def measure(seconds):
        clock = set_clock(seconds)
        monkeypatch.setattr(peak, "HostClock", lambda: clock)
        monkeypatch.setattr(peak, "SIDES", (8, 16, 32))
        monkeypatch.setattr(peak, "CHANNELS", (4, 8))
        found = peak.measured_peak(Arithmetic())
        assert clock.taken == len(seconds)
        return found

    return measure


LONG = [9.0, 0.1, 0.4, 0.2, 0.2, 0.2]  # the first time does not count
SLOW = [9.0, *[1e4] * 5]


def test_the_peak_is_the_best_of_growing_products_and_stops_at_a_long_one(peak_of):
    found = peak_of([9.0, 0.02, 0.01, 0.02, 0.02, 0.02, *LONG, *SLOW])
    assert found == pytest.approx(max(2 * 8**3 / 0.01, 2 * 16**3 / 0.1))


def test_the_peak_is_that_of_convolutions_where_they_are_quicker(peak_of):
    found = peak_of([*SLOW, 9.0, *[0.02] * 5, *LONG])
    operations = 2 * 64 * 16 * 16 * 3 * 3
    assert found == pytest.approx(max(operations * 4**2 / 0.02, operations * 8**2 / 0.1))


class Nvml:
    """As ``pynvml``, of a GPU that draws 250 W and of a clock that steps turn on."""

    def __init__(self, fault=None):
        self.fault, self.seconds = fault, 0.0

    def nvmlInit(self):  # noqa: N802
        if self.fault:
            raise RuntimeError(self.fault)

    def nvmlDeviceGetHandleByUUID(self, uuid):  # noqa: N802
        assert uuid == "GPU-1234"
        return uuid

    def nvmlDeviceGetTotalEnergyConsumption(self, handle):  # noqa: N802
        return round(250_000 * self.seconds)


def test_energy_is_what_the_counter_moves_by(monkeypatch):
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    nvml = Nvml()

    def step():
        nvml.seconds += 0.1

    counter = energy.counter_of(nvml, "1234")
    assert not isinstance(counter, str)
    assert energy.joules_per_1000(counter, step, seconds=0.1, batch=50) == pytest.approx(250 * 0.1 * 1000 / 50)
    assert nvml.seconds == pytest.approx(2.0)


def test_without_energy_the_reason_is_said(monkeypatch):
    assert "Driver Not Loaded" in energy.counter_of(Nvml("Driver Not Loaded"), "1234")
    assert "this is a CPU" in energy.energy_counter(Arithmetic())
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert "pynvml is not installed" in energy.energy_counter(Arithmetic(device="cuda"))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not start the peak anew")
def test_what_was_freed_before_does_not_count_in_a_fresh_peak():
    empty = fresh_peak("cpu").bytes()
    held = fresh_peak("cpu")
    blocks = [np.ones(2**14) for _ in range(512)]  # 64 MiB in blocks that the allocator would keep
    assert blocks[0][0] == 1
    full = held.bytes()
    assert full - empty > 60 * 2**20
    del blocks
    assert held.bytes() > full - 2**20  # the kernel counts in batches
    assert fresh_peak("cpu").bytes() < full - 50 * 2**20


def test_the_usual_limit_leaves_something_to_others():
    assert usual_limit() > 2**20
