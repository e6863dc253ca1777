"""When a step is warm, how often it is timed, and what is made of the times."""

import numpy as np
import pytest
import torch

from mmbench.throughput.timing import DeviceClock, HostClock, Pace, Times, glance, time_step, warmed_up


def nothing():
    return None


def test_percentiles_are_those_of_the_steps():
    times = Times(np.arange(1, 102) / 1e3, warm_up=20, stable=True)
    assert [times.milliseconds(percent) for percent in (5, 50, 95, 99)] == pytest.approx([6, 51, 96, 100])
    assert times.median == pytest.approx(0.051)


def test_percentiles_lie_between_the_nearest_steps():
    assert Times(np.array([1.0, 2.0]), 0, True).milliseconds(75) == pytest.approx(1750)


def test_a_step_is_warm_when_the_medians_of_two_windows_are_alike(set_clock):
    clock = set_clock([10.0] * 10 + [5.0] * 10 + [5.2] * 10 + [1.0] * 100)
    taken, stable, median = warmed_up(nothing, clock, Pace(warm_up_seconds=1000))
    assert (taken, stable, median) == (30, True, 5.2)


def test_a_window_that_differs_by_more_than_five_percent_is_not_warm(set_clock):
    clock = set_clock([1.0] * 10 + [1.06] * 10 + [1.06] * 10)
    assert warmed_up(nothing, clock, Pace(warm_up_seconds=1000))[:2] == (30, True)
    clock = set_clock([1.0] * 10 + [1.04] * 10)
    assert warmed_up(nothing, clock, Pace(warm_up_seconds=1000))[:2] == (20, True)


def test_single_slow_steps_do_not_keep_a_step_from_being_warm(set_clock):
    clock = set_clock([1.0] * 9 + [50.0] + [70.0] + [1.0] * 9)
    assert warmed_up(nothing, clock, Pace(warm_up_seconds=1000))[:2] == (20, True)


def test_a_step_that_never_settles_is_timed_nevertheless_and_says_so(set_clock):
    clock = set_clock(0.01 * 1.5 ** (i // 10) for i in range(1000))
    times = time_step(nothing, clock, Pace(steps=5, seconds=0, warm_up=60, warm_up_seconds=1e9))
    assert (times.warm_up, times.stable, len(times.seconds)) == (60, False, 5)


def test_slow_steps_are_warmed_up_no_longer_than_the_seconds_allow(set_clock):
    assert warmed_up(nothing, set_clock([1.0]), Pace(warm_up_seconds=5.0))[:2] == (10, False)


def test_a_first_step_that_is_compiled_does_not_end_the_warm_up(set_clock):
    assert warmed_up(nothing, set_clock([60.0] + [0.01] * 50), Pace(warm_up_seconds=5.0))[:2] == (20, True)


@pytest.mark.parametrize(
    ("second", "pace", "steps"),
    [
        (0.1, Pace(steps=50, seconds=1.0), 50),
        (0.001, Pace(steps=50, seconds=1.0), 1000),
        (1e-6, Pace(steps=50, seconds=1.0, most=2000), 2000),
        (0.1, Pace(steps=5, seconds=0.0), 5),
        (0.0, Pace(steps=7, seconds=1.0), 7),
    ],
)
def test_steps_are_timed_so_often_and_so_long(set_clock, second, pace, steps):
    assert len(time_step(nothing, set_clock([second]), pace).seconds) == steps


def test_the_warm_up_is_not_among_the_times(set_clock):
    clock = set_clock([9.0] * 10 + [9.1] * 10 + [1.0] * 50)
    times = time_step(nothing, clock, Pace(steps=50, seconds=0, warm_up_seconds=1e9))
    assert times.seconds.max() == 1.0


@pytest.mark.parametrize(("second", "steps"), [(1.0, 10), (0.01, 25), (1e-6, 105)])
def test_a_glance_is_short(set_clock, second, steps):
    clock = set_clock([second])
    assert glance(nothing, clock, seconds=0.2) == second
    assert clock.taken == steps


def test_the_hosts_clock_takes_every_step_once_and_tells_seconds():
    taken = []
    times = HostClock().times(lambda: taken.append(0), 30)
    assert len(taken) == len(times) == 30
    assert (times >= 0).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_devices_clock_waits_for_the_device():
    a = torch.randn(2048, 2048, device="cuda")
    times = DeviceClock().times(lambda: a @ a, 20)
    assert len(times) == 20
    assert (times > 0).all()
