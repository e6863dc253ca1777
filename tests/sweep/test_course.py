"""Which cells are tried again, and what their records say about it: also where several are in flight at once."""

from types import SimpleNamespace

import pytest

from mmbench.results.schema import Outcome
from mmbench.sweep.course import Course
from mmbench.sweep.plan import CellBatch

DEATH = Outcome(status="killed", message="died")
LATE, WAITED = Outcome(status="timeout", message="late"), Outcome(status="timeout", message="waited")


@pytest.fixture
def course():
    """Of four seeds."""
    cells = tuple(SimpleNamespace(identity=SimpleNamespace(seed=seed)) for seed in range(4))
    return Course(CellBatch(None, None, None, None, cells))


def work(course):
    """{seed: attempt} of what a fresh worker is to do."""
    given = course.work()
    return dict(zip((cell.identity.seed for cell in given.batch.cells), given.attempts, strict=True))


def told(endings):
    """{seed: (message, attempts)}."""
    return {cell.identity.seed: (outcome.message, outcome.attempts) for cell, outcome in endings}


def test_a_cell_that_a_worker_died_of_is_tried_once_more(course):
    first, second, *_ = course.open
    assert work(course) == {0: 1, 1: 1, 2: 1, 3: 1}
    course.started((first,))
    course.ended(first)
    course.started((second,))
    assert told(course.died(DEATH)) == {}
    assert work(course) == {1: 2, 2: 1, 3: 1}
    course.started((second,))
    assert told(course.died(DEATH)) == {1: ("died", 2)}
    assert work(course) == {2: 1, 3: 1}


def test_cells_in_flight_together_die_together(course):
    work(course)
    course.started(course.open[:3])
    course.ended(course.open[1])
    assert told(course.died(DEATH)) == {}
    assert work(course) == {0: 2, 2: 2, 3: 1}
    course.started(course.open)
    assert told(course.died(DEATH)) == {0: ("died", 2), 2: ("died", 2)}
    assert work(course) == {3: 2}


def test_cells_that_were_begun_together_are_one_attempt_each_also_when_they_end_one_by_one(course):
    work(course)
    course.started(course.open)
    course.started(course.open[:1])
    course.ended(course.open[0])
    course.started(course.open[:1])
    assert told(course.died(DEATH)) == {}
    assert work(course) == {1: 2, 2: 2, 3: 2}
    course.started(course.open)
    course.started(course.open[:1])
    assert told(course.died(DEATH)) == {1: ("died", 2)}, "the others have not died twice"
    assert work(course) == {2: 3, 3: 3}


def test_a_worker_that_dies_before_a_cell_costs_all_of_them_an_attempt(course):
    work(course)
    assert told(course.died(DEATH)) == {}
    assert work(course) == {0: 2, 1: 2, 2: 2, 3: 2}
    course.started(course.open[:1])
    course.ended(course.open[0])
    assert told(course.died(DEATH)) == {1: ("died", 2), 2: ("died", 2), 3: ("died", 2)}
    assert not course.open


def test_nothing_is_tried_again_after_the_time_limit(course):
    work(course)
    course.started(course.open[:1])
    course.died(DEATH)
    work(course)
    course.started(course.open[:1])
    late = told(course.ran_out_of_time(LATE, WAITED))
    assert late == {0: ("late", 2), 1: ("waited", 0), 2: ("waited", 0), 3: ("waited", 0)}
    assert not course.open


def test_a_batch_that_cannot_be_loaded_in_time_was_started_once(course):
    work(course)
    assert told(course.ran_out_of_time(LATE, WAITED)) == dict.fromkeys(range(4), ("late", 1))


def test_a_batch_that_fails_as_a_whole_is_not_tried_again(course):
    work(course)
    assert told(course.failed(Outcome(status="error", message="no data"))) == dict.fromkeys(range(4), ("no data", 1))
    assert not course.open
