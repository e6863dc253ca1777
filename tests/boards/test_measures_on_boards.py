"""Measures of fitted methods on boards: never from two sources in one column, and what is absent is told."""

import numpy as np
import pytest

from mmbench.boards import markdown, terminal
from mmbench.boards.board import load_boards
from mmbench.boards.measured import measured
from mmbench.results import measurements
from mmbench.results.measurements import Measurement
from mmbench.results.schema import Provenance, Result
from mmbench.results.throughput import (
    DeviceSetting,
    Throughput,
    ThroughputIdentity,
    ThroughputPhase,
    ThroughputRow,
    write_throughput,
)


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
    assert "MM, mapped |" in page
    assert "0.300" in row_of(page, "`late`")
    assert "–" in row_of(page, "`gated`")
    assert "### Further scores and cost" in page
    text = terminal.render([board_of(results)], detailed=True)
    assert "0.300" in text


def test_how_far_seeds_lie_apart_is_told(results):
    enter(results, "late", 0, scores={"matching_mm": 0.2})
    enter(results, "gated", 0, scores={"matching_mm": 0.6})
    assert "Of one seed." in markdown.render_board(board_of(results))
    enter(results, "late", 1, scores={"matching_mm": 0.4})
    page = markdown.render_board(board_of(results))
    assert "Means of 1 to 2 seeds; standard deviation between seeds (median over rows): MM, mapped 0.14." in page


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
    assert "Not shown: 1 measurement by other source or parameters: matching." in page


def test_one_row_with_other_parameters_does_not_take_the_column(results):
    enter(results, "late", 0, scores={"matching_mm": 0.25})
    enter(results, "gated", 0, scores={"matching_mm": 0.5})
    later = {"name": "matching[pairs=9]", "created": "2026-02-01T00:00:00+00:00"}
    enter(results, "late", 0, scores={"matching_mm": 0.9}, **later)
    page = markdown.render_board(board_of(results))
    assert "0.250" in row_of(page, "`late`")
    assert "0.500" in row_of(page, "`gated`")
    assert "Not shown: 1 measurement by other source or parameters: matching[pairs=9]." in page


def test_a_measure_that_was_begun_and_not_ended_is_not_shown_as_failed(results):
    enter(results, "late", 0, scores={"matching_mm": 0.25})
    enter(results, "gated", 0, error="the worker ended while it was measured", begun=1)
    assert "failed" not in row_of(markdown.render_board(board_of(results)), "`gated`")
    enter(results, "gated", 0, error="the worker ended while it was measured", begun=2)
    assert "failed" in row_of(markdown.render_board(board_of(results)), "`gated`")


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


def curves(clean, *values):
    rows = [
        ("none", "", 0.0, clean, None),
        *(("noise", "a", k / len(values), v, None) for k, v in enumerate(values, 1)),
    ]
    names = ("corruption", "modality", "level", "value", "spread")
    return {"curves": dict(zip(names, map(tuple, zip(*rows, strict=True)), strict=True))}


def test_effective_robustness_is_against_late_of_the_same_seed(results):
    enter(results, "late", 0, "robustness", scores={"robustness_area": 0.6}, tables=curves(0.8, 0.6, 0.4))
    enter(results, "gated", 0, "robustness", scores={"robustness_area": 0.7}, tables=curves(0.7, 0.7, 0.6))
    enter(results, "gated", 1, "robustness", scores={"robustness_area": 0.1}, tables=curves(0.7, 0.1, 0.1))
    board = board_of(results)
    row = {row.label: row.id for row in board.rows}
    found = board.measures["robustness"]
    assert found.values(row["late"], "robustness_effective") == {0: 0.0}
    # (.7-.6 - (.7-.8) + .6-.4 - (.7-.8)) / 2; of seed 1 there is no late fusion
    assert found.values(row["gated"], "robustness_effective") == {0: pytest.approx(0.25)}
    assert found.values(row["gated"], "robustness_of_oracle") == {}
    assert "effective robustness" in markdown.render_board(board)


def test_the_oracles_area_is_the_measure_of_the_others(results, guess):
    y = np.random.default_rng(0).integers(0, 3, 200)
    results.add("oracle", guess(y, 0.9, 3, 9), role="ceiling")
    enter(results, "oracle", 0, "robustness", scores={"robustness_area": 0.8}, tables=curves(1.0, 0.6))
    enter(results, "late", 0, "robustness", scores={"robustness_area": 0.6}, tables=curves(0.8, 0.4))
    board = board_of(results)
    row = {row.label: row.id for row in board.rows}
    assert board.measures["robustness"].values(row["late"], "robustness_of_oracle") == {0: pytest.approx(0.75)}


def test_curves_of_other_levels_are_not_compared(results):
    enter(results, "late", 0, "robustness", scores={"robustness_area": 0.6}, tables=curves(0.8, 0.6, 0.4))
    enter(results, "gated", 0, "robustness", scores={"robustness_area": 0.7}, tables=curves(0.7, 0.7))
    board = board_of(results)
    row = {row.label: row.id for row in board.rows}
    assert board.measures["robustness"].values(row["gated"], "robustness_effective") == {}


def test_speeds_of_two_devices_have_two_columns(results):
    for name, speed in (("Some CPU", 1234.0), ("Some GPU", 98765.0)):
        write_speed(results, "late", name, speed)
    page = markdown.render_board(board_of(results))
    assert "samples/s (1) ↑" in page
    assert "samples/s (2) ↑" in page
    assert "1.23k" in row_of(page, "`late`")
    assert "98.8k" in row_of(page, "`late`")
    assert "98.8k" not in row_of(page, "`gated`")
    assert "on cpu: Some CPU" in page


def test_speed_on_other_data_is_not_shown(results):
    write_speed(results, "late", "Some CPU", 1234.0, data="e" * 32)
    assert "samples/s" not in markdown.render_board(board_of(results))


def write_speed(factory, method, device, speed, data="d" * 32):
    identity = ThroughputIdentity(
        method=method,
        method_source="a",
        core_source="c",
        dataset="toy",
        dataset_version="1",
        data=data,
        setting=DeviceSetting(device="cpu", name=device, torch="2"),
        steps=50,
        seconds=1.0,
    )
    steps = {"batch": 256, "steps": 60, "warm_up": 10, "stable": True, "median_ms": 1, "p5_ms": 1, "p95_ms": 1}
    row = ThroughputRow(**steps, p99_ms=1, samples_per_second=speed)
    made = Provenance(created="2026-01-01", mmbench="0", plugin="p", libraries={}, hardware={})
    write_throughput(factory.out, Throughput(identity=identity, predict=ThroughputPhase(rows=(row,)), provenance=made))


def test_nothing_was_measured(results):
    board = board_of(results)
    assert board.measures == {}
    assert measured([]).measures == {}
    assert "Further scores" not in markdown.render_board(board)
    assert "NLL" in markdown.render_board(board)
