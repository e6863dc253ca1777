"""A picture shows a readable few, and says how many it leaves out."""

import pytest

from mmbench.core.errors import MmbenchError
from mmbench.plots.choice import NothingToDrawError, check_wanted, choose


@pytest.fixture
def board(results):
    found = results()
    found.add("oracle", 0.99, role="ceiling")
    for place in range(8):
        found.add(f"m{place}", 0.9 - place / 100)
    found.add("late", 0.5)
    for name, score in (("linear", 0.4), ("unimodal[modality=image]", 0.45), ("unimodal[modality=audio]", 0.3)):
        found.add(name, score, role="floor")
    return found.material().board


def every(board):
    return {row.id for row in board.rows}


def labels(chosen):
    return [row.label for row in chosen.rows]


def test_late_and_the_best_floor_stand_beside_the_best_methods(board):
    chosen = choose(board, (), every(board))
    assert labels(chosen) == ["m0", "m1", "m2", "m3", "late", "unimodal[modality=image]"]
    assert chosen.left_out == 6
    assert "6 others are left out" in chosen.note


def test_ceilings_are_shown_only_when_they_are_named(board):
    assert "oracle" not in labels(choose(board, (), every(board)))
    assert labels(choose(board, ("oracle",), every(board))) == ["oracle"]


def test_only_rows_that_have_the_data_are_chosen(board):
    have = {row.id for row in board.rows if row.label in ("m7", "linear")}
    chosen = choose(board, (), have)
    assert labels(chosen) == ["m7", "linear"]
    assert chosen.note == ""


def test_a_name_without_brackets_stands_for_all_its_rows(board):
    assert labels(choose(board, ("unimodal", "late"), every(board))) == [
        "late", "unimodal[modality=image]", "unimodal[modality=audio]",
    ]  # fmt: skip
    assert labels(choose(board, ("unimodal[modality=audio]",), every(board))) == ["unimodal[modality=audio]"]


def test_more_methods_than_can_be_told_apart_are_refused(board):
    with pytest.raises(NothingToDrawError, match="7 rows, and a picture shows at most 6"):
        choose(board, tuple(f"m{place}" for place in range(7)), every(board))


def test_a_method_without_the_data_is_told(board):
    with pytest.raises(NothingToDrawError, match="late: there are no such data"):
        choose(board, ("late",), set())


def test_a_method_that_has_not_run_at_all_is_a_mistake_with_a_suggestion(board):
    check_wanted([board], ["late", "unimodal", "unimodal[modality=image]"])
    with pytest.raises(MmbenchError, match="'laet'; did you mean late"):
        check_wanted([board], ["laet"])
