"""Rows of unequal budgets are never ranked together; what cannot be tuned stands beside each."""

import re

import numpy as np
import pytest

from mmbench.boards import markdown, terminal
from mmbench.boards.analysis import analyse
from mmbench.boards.board import load_boards
from mmbench.boards.budget import UNTUNED, Budget
from mmbench.boards.schema import read_analysis
from mmbench.boards.summary import summary
from mmbench.results.schema import Tuning

R = 200
TUNED = {"tuned": True, "trials": 20, "sampler": "random"}
FOUND = Tuning(seed=0, best=7, validation=0.9, default=0.85, history="f" * 64)


@pytest.fixture
def plain(make, guess):
    """Two methods, a trained floor, one that is not, and a ceiling; nothing is tuned."""
    y = np.random.default_rng(0).integers(0, 3, 400)
    factory = make(y, outputs=3, chance=0.333, ceiling=0.99)
    factory.add("oracle", guess(y, 0.99, 3, 0), role="ceiling", epochs=None)
    factory.add("linear", guess(y, 0.6, 3, 1), role="floor", epochs=None)
    for seed in range(2):
        factory.add("unimodal", guess(y, 0.5, 3, 10 + seed), seed, role="floor", parameters={"modality": "image"})
        factory.add("late", guess(y, 0.7, 3, 20 + seed), seed)
        factory.add("gated", guess(y, 0.7, 3, 30 + seed), seed)
    analyse(factory.out, R)
    return factory


@pytest.fixture
def both(plain, guess):
    """The same, with tuned rows of a method and of the trained floor."""
    y = plain.target
    for seed in range(2):
        plain.add("late", guess(y, 0.9, 3, 40 + seed), seed, parameters={"width": 32}, tuning=FOUND, **TUNED)
        parameters = {"modality": "image", "width": 16}
        given = FOUND.model_copy(update={"given": {"modality": "image"}})
        plain.add(
            "unimodal", guess(y, 0.55, 3, 50 + seed), seed, role="floor", parameters=parameters, tuning=given, **TUNED
        )
    return plain


def labels(board):
    return {row.label: row.rank for row in board.rows}


def test_each_budget_has_its_own_ranks_references_and_comparisons(both):
    analyse(both.out, R)
    default, tuned = load_boards([both.out])
    assert (default.budget, tuned.budget) == (UNTUNED, Budget(20, "random"))
    assert labels(default) == {
        "known ceiling": None,
        "oracle": None,
        "late": 1,
        "gated": 1,
        "linear": 3,
        "unimodal[modality=image]": 4,
    }
    assert labels(tuned) == {
        "known ceiling": None,
        "oracle": None,
        "late": 1,
        "linear": 2,
        "unimodal[modality=image]": 2,
    }
    late = next(row for row in tuned.rows if row.label == "late")
    assert late.found == "width=32 (validation accuracy 0.9, the default 0.85)"
    for board, folder in ((default, both.folder), (tuned, both.folder)):
        analysis = read_analysis(folder, board.budget)
        ids = {row.id for row in analysis.rows}
        assert all({d.first, d.second} <= ids for d in analysis.comparisons)
        assert board.reference.label == "unimodal[modality=image]"
    shared = {row.id for row in read_analysis(both.folder).rows} & {
        row.id for row in read_analysis(both.folder, tuned.budget).rows
    }
    assert len(shared) == 2  # oracle and linear: the floor that is trained is not in both


def test_tuned_rows_leave_the_analysis_of_the_others_as_it_is(plain, both, guess):
    before = (both.folder / "analysis.json").read_bytes()
    paths = analyse(both.out, R)
    assert [path.name for path in paths] == ["analysis.json", "analysis-20-random.json"]
    assert (both.folder / "analysis.json").read_bytes() == before
    newer = (both.folder / "analysis-20-random.json").read_bytes()
    assert analyse(both.out, R) == paths
    assert (both.folder / "analysis-20-random.json").read_bytes() == newer


def test_rows_are_marked_where_a_dataset_has_both(both, tmp_path):
    analyse(both.out, R)
    text = terminal.render(load_boards([both.out]))
    assert max(map(len, text.splitlines())) <= 120
    first, second = text.split("toy · protocol standard, version 1 · ")[1:]
    assert first.startswith("default\n")
    assert second.startswith("tuned (20 trials)\n")
    assert re.search(r"^ +1  late +default +0\.", first, re.M)
    assert re.search(r"^ +1  late +20 trials +0\.", second, re.M)
    assert re.search(r"linear +floor +default", second)
    assert "late tuned: width=32 (validation accuracy 0.9, the default 0.85)." in " ".join(second.split())
    assert "hyper-parameters: the best of 20 trials on validation" in second

    pages = markdown.write_markdown(load_boards([both.out]), tmp_path / "pages")
    page, front = (path.read_text() for path in pages)
    assert page.index("## Default hyper-parameters") < page.index("## Tuned: 20 trials")
    assert page.count("# toy\n") == 1
    assert re.search(r"\| `late` +\| +\| tuned \(20 trials\) +\|", page)
    assert "## Protocol `standard`, default" in front
    assert "## Protocol `standard`, tuned (20 trials)" in front


def test_without_tuned_rows_nothing_is_marked(plain):
    (board,) = load_boards([plain.out])
    (found,) = summary([board])
    assert not board.marked
    assert not found.marked
    shown = terminal.render([board]) + terminal.render_summary([board]) + markdown.render_board(board)
    assert "default" not in shown
    assert "tun" not in shown


def test_budgets_that_differ_in_trials_or_sampler_are_apart(both, guess):
    y = both.target
    for budget in ({"trials": 50}, {"sampler": "tpe"}):
        both.add("late", guess(y, 0.9, 3, 60), parameters={"width": 32}, tuning=FOUND, **{**TUNED, **budget})
    analyse(both.out, R)
    boards = load_boards([both.out])
    assert [str(board.budget) for board in boards] == [
        "default",
        "tuned (20 trials)",
        "tuned (20 TPE trials)",
        "tuned (50 trials)",
    ]
    assert all("linear" in labels(board) for board in boards)
    assert len(summary(boards)) == 4


def test_two_searches_of_one_method_are_told_apart_by_what_they_found(both, guess):
    both.add("late", guess(both.target, 0.8, 3, 70), parameters={"width": 64}, tuning=FOUND, **TUNED)
    tuned = load_boards([both.out])[1]
    assert {label for label in labels(tuned) if "late" in label} == {"late (width=32)", "late (width=64)"}


def test_floors_alone_make_no_board_of_their_own_beside_tuned_rows(make, guess):
    y = np.random.default_rng(0).integers(0, 3, 200)
    factory = make(y, outputs=3)
    factory.add("linear", guess(y, 0.6, 3, 1), role="floor", epochs=None)
    factory.add("late", guess(y, 0.9, 3, 2), parameters={"width": 32}, tuning=FOUND, **TUNED)
    (board,) = load_boards([factory.out])
    assert board.marked
    assert set(labels(board)) == {"late", "linear"}
