"""Peak memory: of a while, where the system can tell, and None where it cannot."""

import resource

import numpy as np
import psutil
import pytest
import torch

from mmbench.train import peak as module
from mmbench.train.peak import PeakMemory, high_water_mark

MIB = 2**20


def hold(size):
    """So much memory, written to."""
    return np.ones(size, np.uint8)


def test_what_was_held_and_given_back_counts():
    peak = PeakMemory()
    before = psutil.Process().memory_info().rss
    held = hold(200 * MIB)
    del held
    found = peak.bytes()
    assert found is not None
    assert before + 150 * MIB < found < before + 400 * MIB


def test_the_mark_never_lies_below_what_is_held():
    held = hold(64 * MIB)
    assert high_water_mark() > 0.9 * psutil.Process().memory_info().rss
    assert held[0] == 1


def test_an_earlier_peak_does_not_count_where_the_mark_can_belowered():
    if not module.lowered():
        pytest.skip("this system keeps one mark a process")
    held = hold(300 * MIB)
    del held
    PeakMemory()
    after = psutil.Process().memory_info().rss
    found = PeakMemory().bytes()
    assert found is not None
    assert found < after + 100 * MIB


def test_without_a_way_to_lower_the_mark_a_peak_below_an_earlier_one_is_unknown(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "CLEAR", tmp_path / "absent" / "clear_refs")
    marks = iter([500 * MIB, 500 * MIB, 700 * MIB])
    monkeypatch.setattr(module, "high_water_mark", lambda: next(marks))
    peak = PeakMemory()
    assert peak.bytes() is None
    assert peak.bytes() == 700 * MIB


def test_without_proc_the_mark_is_that_of_getrusage(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "STATUS", tmp_path / "absent")
    monkeypatch.setattr(module.sys, "platform", "linux")
    low = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert high_water_mark() >= low
    monkeypatch.setattr(module.sys, "platform", "darwin")  # which counts bytes
    assert low / 1024 <= high_water_mark() < low


def test_other_devices_keep_no_mark():
    assert PeakMemory("meta").bytes() is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_counts_what_its_allocator_gave_out():
    peak = PeakMemory("cuda")
    before = torch.cuda.memory_allocated()
    held = torch.ones(64 * MIB, dtype=torch.uint8, device="cuda")
    del held
    assert before + 64 * MIB <= peak.bytes() < before + 128 * MIB
