"""Measures of fitted methods on boards: never from two sources in one column, and what is absent is told."""

import numpy as np
import pytest

from mmbench.boards import markdown, terminal
from mmbench.boards.board import load_boards
from mmbench.boards.measured import measured
from mmbench.results import measurements
from mmbench.results.measurements import Measurement
from mmbench.results.schema import Result


@pytest.fixture
def results(make, guess):
    y = np.random.default_rng(0).integers(0, 3, 200)
    factory = make(y, outputs=3)
    for seed in range(2):
        factory.add("late", guess(y, 0.8, 3, 30 + seed), seed)
        factory.add("gated", guess(y, 0.8, 3, 40 + seed), seed)
    return factory


def enter(factory, method, seed, name="matching", **found):
    (record,) = factory.out.glob(f"**/{method}/seed{seed}-*.json")
    result = Result.model_validate_json(record.read_bytes())
    given = {"source": "a", "score": result.scores["accuracy"], "created": "2026-01-01T00:00:00+00:00", **found}
    measurements.enter(record, result.key, {name: Measurement(**given)})
    return record


def board_of(factory):
    (board,) = load_boards([factory.out])
    return board


def row_of(text, method):
    return next(line for line in text.splitlines() if method in line and line.startswith("|"))


def test_a_headline_is_the_mean_over_seeds_beside_accuracy(results):
    for seed, value in enumerate((0.2, 0.4)):
        enter(results, "late", seed, scores={"matching_mm": value, "matching_auc": 0.75})
    page = markdown.render_board(board_of(results))
    assert "cosine MM, mapped ↑" in page
    assert "0.300" in row_of(page, "`late`")
    assert "–" in row_of(page, "`gated`")
    assert "### Further scores and cost" in page
    text = terminal.render([board_of(results)], detailed=True)
    assert "0.300" in text


def test_what_does_not_apply_is_na_with_its_reason_and_what_failed_says_so(results):
    enter(results, "late", 0, scores={"matching_mm": 0.2})
    enter(results, "gated", 0, reason="it gives no embedding of a modality")
    enter(results, "gated", 0, name="calibration", error="ValueError: no")
    page = markdown.render_board(board_of(results))
    assert "n/a" in row_of(page, "`gated`")
    assert "matching of `gated`: it gives no embedding of a modality." in page
    assert "failed" in row_of(page, "`gated`")


def test_two_sources_never_share_a_column(results):
    enter(results, "late", 0, scores={"matching_mm": 0.9}, source="old")
    enter(results, "gated", 0, scores={"matching_mm": 0.1}, source="new", created="2026-02-01T00:00:00+00:00")
    page = markdown.render_board(board_of(results))
    assert "0.900" not in page
    assert "0.100" in row_of(page, "`gated`")
    assert "Not shown: 1 measurements of matching by other source or parameters." in page


def test_another_fit_than_the_records_is_told(results):
    enter(results, "late", 0, scores={"matching_mm": 0.9}, score=0.5)
    assert "matching of late: the fits that were measured have another accuracy" in markdown.render_board(
        board_of(results)
    )


def test_a_damaged_file_is_told_and_costs_itself_alone(results):
    enter(results, "late", 0, scores={"matching_mm": 0.25})
    record = enter(results, "late", 1, scores={"matching_mm": 0.75})
    measurements.path_of(record).write_text("{}")
    board = board_of(results)
    assert any("measures-seed1" in name for name in board.unreadable)
    assert "0.250" in row_of(markdown.render_board(board), "`late`")


def test_measurements_of_another_cell_are_refused(results):
    record = enter(results, "late", 0, scores={"matching_mm": 0.25})
    (other,) = results.out.glob("**/gated/seed0-*.json")
    measurements.path_of(other).write_bytes(measurements.path_of(record).read_bytes())
    assert any("is of another cell" in why for why in board_of(results).unreadable.values())


def test_nothing_was_measured(results):
    board = board_of(results)
    assert board.measures == {}
    assert measured([]).measures == {}
    assert "Further scores" not in markdown.render_board(board)
    assert "NLL" in markdown.render_board(board)
