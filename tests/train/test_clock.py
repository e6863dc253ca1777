"""The clock adds up what it is told to, and gives on what passes through it."""

import pytest

from mmbench.train import clock as module
from mmbench.train.clock import Clock


@pytest.fixture
def passing(monkeypatch):
    """``passing(seconds)`` lets time pass."""
    now = [100.0]
    monkeypatch.setattr(module, "perf_counter", lambda: now[0])

    def passing(seconds):
        now[0] += seconds

    return passing


def test_seconds_add_up_by_name(passing):
    clock = Clock()
    for _ in range(3):
        with clock("steps"):
            passing(2.0)
        passing(10.0)
        with clock("judging"):
            passing(0.5)
    assert clock.seconds == {"steps": 6.0, "judging": 1.5}


def test_getting_items_is_timed_and_using_them_is_not(passing):
    clock = Clock()

    def slow():
        for item in "abc":
            passing(1.0)
            yield item
        passing(0.25)

    seen = []
    for item in clock.each("data", slow()):
        passing(7.0)
        seen.append(item)
    assert seen == ["a", "b", "c"]
    assert clock.seconds == {"data": 3.25}


def test_no_items_are_no_time(passing):
    clock = Clock()
    assert list(clock.each("data", [])) == []
    assert clock.seconds == {"data": 0.0}


def test_a_span_that_ends_with_an_exception_counts(passing):
    clock = Clock()

    def step():
        with clock("steps"):
            passing(1.0)
            raise KeyError("a step's")

    with pytest.raises(KeyError):
        step()
    assert clock.seconds == {"steps": 1.0}


def test_an_exception_of_the_source_is_not_swallowed(passing):
    def broken():
        yield 1
        raise ValueError("unreadable")

    clock = Clock()
    with pytest.raises(ValueError, match="unreadable"):
        list(clock.each("data", broken()))


def test_spans_of_several_names_may_nest(passing):
    clock = Clock()
    with clock("fit"):
        passing(1.0)
        with clock("steps"):
            passing(2.0)
    assert clock.seconds == {"fit": 3.0, "steps": 2.0}
