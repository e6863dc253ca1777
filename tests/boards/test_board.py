"""Boards as data, in a terminal and as Markdown: pure functions of files."""

import logging
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mmbench.boards import markdown, terminal
from mmbench.boards.analysis import analyse
from mmbench.boards.board import load_boards
from mmbench.boards.summary import summary
from mmbench.boards.table import Column
from mmbench.core.errors import MmbenchError

R = 200
ANSI = re.compile(r"\x1b\[\d+m")


@pytest.fixture
def results(make, guess):
    """One dataset with everything that a board has to show, analysed."""
    y = np.random.default_rng(0).integers(0, 3, 400)
    factory = make(y, outputs=3, chance=0.333, ceiling=0.95, group=np.repeat(np.arange(40), 10))
    factory.add("oracle", guess(y, 0.95, 3, 0), role="ceiling")
    factory.add("linear", guess(y, 0.6, 3, 1), role="floor", seconds=0.8)
    for seed in range(3):
        factory.add("unimodal", guess(y, 0.7, 3, 10 + seed), seed, role="floor", parameters={"modality": "image"})
        factory.add("unimodal", guess(y, 0.5, 3, 20 + seed), seed, role="floor", parameters={"modality": "audio"})
        factory.add("late", guess(y, 0.88, 3, 30 + seed), seed, seconds=130)
        factory.add("gated", guess(y, 0.88, 3, 40 + seed), seed)
    factory.add("gated", None, 3, status="diverged")
    factory.add("gated", None, 4, status="diverged")
    factory.add("broken", None, 0, status="error")
    analyse(factory.out, R)
    return factory


def board_of(factory):
    (board,) = load_boards([factory.out])
    return board


def test_rows_are_sorted_with_ceilings_on_top_and_failures_below(results):
    board = board_of(results)
    labels = [row.label for row in board.rows]
    assert labels[:2] == ["known ceiling", "oracle"]
    assert set(labels[2:4]) == {"late", "gated"}
    assert labels[4:] == ["unimodal[modality=image]", "linear", "unimodal[modality=audio]", "broken"]
    means = [row.scores["accuracy"].mean for row in board.rows[2:-1]]
    assert means == sorted(means, reverse=True)
    assert [row.rank for row in board.rows] == [None, None, 1, 1, 3, 4, 5, None]
    assert [row.leading for row in board.rows] == [False, False, True, True, False, False, False, False]
    assert board.reference.label == "unimodal[modality=image]"
    assert [score.name for score in board.secondary] == ["nll", "auroc"]


def test_a_terminal_shows_all_of_it(results):
    text = terminal.render([board_of(results)])
    assert max(map(len, text.splitlines())) <= 120
    for expected in (
        "toy · protocol standard, version 1",
        "task: classification, 3 classes",
        "image (image 1×8×8), audio (sequence 20×4)",
        "metric: accuracy ↑, chance 0.333, ceiling 0.950",
        "1,000 train, 200 validation, 400 test; grouped by speaker",
        "40 speakers resampled, 200 times",
        "gated: 3 of 5 seeds ok, 2 diverged: loss became NaN",
        "broken: 0 of 1 seeds ok, 1 error: loss became NaN",
        "reference",
        "12.3k",
        "2.2 min",
    ):
        assert expected in text
    assert "in epoch 3" not in text  # the first line of a message is enough
    assert re.search(r"^ +1  (late|gated) +0\.\d{3} \[0\.\d{3}, 0\.\d{3}\] +0\.\d{3} .*\+0\.\d{3} \* ", text, re.M)
    assert "\x1b" not in text
    assert "Bold" not in text


def test_colour_adds_bold_and_nothing_else(results):
    plain, bold = (terminal.render_board(board_of(results), colour) for colour in (False, True))
    assert bold.count("\x1b[1m") == 3  # the title and two leading rows
    without = ANSI.sub("", bold).split("[low, high]")[0]
    assert without == plain.split("[low, high]")[0]


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_a_board_fits_the_terminal(results, guess, width):
    y = results.target
    results.add("late", guess(y, 0.8, 3, 5), parameters={"loss": "supcon(temperature=0.1):0.1+smooth:1", "width": 256})
    analyse(results.out, R)
    lines = terminal.render([board_of(results)], width=width).splitlines()
    assert max(map(len, lines)) <= width
    (heading,) = (line for line in lines if line.startswith("rank "))
    told = [line for line in lines if line.startswith("No room for: ")]
    assert ("NLL" in heading) == (width >= 120)
    assert ("NLL" in "".join(told)) == (width < 120)


def test_a_narrow_column_takes_the_place_of_a_wide_one():
    wide, narrow = ("w" * 60,), ("n",)
    columns = [
        Column("method", ("m" * 20,)),
        Column("wide", wide, dispensable=1),
        Column("narrow", narrow, dispensable=2),
    ]
    text, left_out = terminal.fitting(columns, 40)
    assert "narrow" in text
    assert [column.heading for column in left_out] == ["wide"]


def test_without_analysis_there_are_means_and_a_hint(results):
    (results.folder / "analysis.json").unlink()
    board = board_of(results)
    text = terminal.render([board])
    assert board.bootstrap is None
    assert {row.rank for row in board.rows} == {None}
    assert f"for these, run mmbench results analyse {results.out}" in " ".join(text.split())
    assert "[0." not in text
    assert "0.95" in text
    assert "run `mmbench results analyse FOLDER`" in markdown.render_board(board)


def test_an_analysis_of_other_records_is_not_shown(results, guess):
    results.add("late", guess(results.target, 0.9, 3, 77), seed=7)
    board = board_of(results)
    assert board.outdated
    assert board.bootstrap is None
    assert "is of other records" in terminal.render([board])
    analyse(results.out, R)
    assert not board_of(results).outdated


def test_a_broken_analysis_is_none(results):
    (results.folder / "analysis.json").write_text("{")
    assert board_of(results).bootstrap is None


def test_markdown_marks_and_repeats_itself_byte_for_byte(results, tmp_path):
    boards = load_boards([results.out])
    keep = tmp_path / "pages" / "notes.txt"
    keep.parent.mkdir()
    keep.write_text("mine")
    paths = markdown.write_markdown(boards, tmp_path / "pages")
    assert [p.relative_to(tmp_path / "pages").as_posix() for p in paths] == ["standard/toy.md", "README.md"]
    first = [path.read_bytes() for path in paths]
    assert [
        path.read_bytes() for path in markdown.write_markdown(load_boards([results.out]), tmp_path / "pages")
    ] == first
    assert keep.read_text() == "mine"
    page, front = (text.decode() for text in first)
    assert re.search(r"\| `late` +\| +\| \*\*0\.\d{3}\*\* \[0\.\d{3}, 0\.\d{3}\]", page)
    assert "3 of 5 ok: 2 diverged" in page
    assert "| `unimodal[modality=image]`" in page
    assert str(tmp_path) not in page + front
    assert "[toy](standard/toy.md)<br>accuracy ↑" in front
    assert "not testable" in front
    assert page.endswith("\n")


def test_two_folders_cannot_share_a_page(results, tmp_path):
    import shutil

    shutil.copytree(results.out, tmp_path / "copy")
    boards = load_boards([results.out, tmp_path / "copy"])
    assert len(boards) == 2
    with pytest.raises(MmbenchError, match="both hold standard/toy"):
        markdown.write_markdown(boards, tmp_path / "pages")


def test_a_summary_has_no_averages_and_a_dash_where_nothing_ran(make, guess):
    y = np.random.default_rng(0).integers(0, 3, 200)
    for dataset, methods in (("one", ("late", "gated")), ("two", ("late",))):
        factory = make(y, outputs=3, dataset=dataset, ceiling=0.9 if dataset == "one" else None)
        for number, method in enumerate(methods):
            factory.add(method, guess(y, 0.8, 3, number))
        factory.add("prior", guess(y, 0.3, 3, 9), role="floor")
        factory.add("broken", None, status="error")
    analyse(factory.out, R)
    (found,) = summary(load_boards([factory.out]))
    assert [row.label for row in found.rows] == ["known ceiling", "broken", "gated", "late", "prior"]
    text = terminal.render_summary(load_boards([factory.out]))
    cells = {line.split()[0]: line.split()[-2:] for line in text.splitlines() if line.count("  ") > 1}
    assert cells["known"] == ["0.900", "–"]
    assert cells["gated"][1] == "–"
    assert cells["broken"] == ["failed", "failed"]
    flat = " ".join(text.split())
    assert "not testable. Of 2 datasets, where 2 methods ran on all of them" in flat
    assert "6 are needed" in flat  # 2^(1-6) = .031
    front = markdown.render_summary(load_boards([factory.out]))
    assert re.search(r"\| `late` +\| +\| +\*\*0\.\d{3}\*\* \| +\*\*0\.\d{3}\*\* \|", front)


def test_a_wide_summary_comes_in_parts(make, guess):
    y = np.random.default_rng(0).integers(0, 3, 30)
    for number in range(12):
        make(y, outputs=3, dataset=f"some-dataset-{number}").add("late", guess(y, 0.8, 3, 1))
    factory = make(y, outputs=3, dataset="other")
    factory.add("only-here", guess(y, 0.8, 3, 1))
    text = terminal.render_summary(load_boards([factory.out]), width=100)
    assert max(map(len, text.splitlines())) <= 100
    assert text.count("only-here") == 1
    assert all(f"some-dataset-{number}" in text for number in range(12))


def test_filters_by_protocol_and_dataset(make, guess):
    y = np.random.default_rng(0).integers(0, 3, 30)
    for protocol in ("quick", "standard"):
        factory = make(y, outputs=3, protocol=protocol, identity={"dataset_parameters": {"noise": 0.5}})
        factory.add("late", guess(y, 0.8, 3, 1))
    out = factory.out
    assert [board.protocol for board in load_boards([out])] == ["quick", "standard"]
    assert [board.protocol for board in load_boards([out], protocol="quick")] == ["quick"]
    assert len(load_boards([out], dataset="toy")) == 2
    assert len(load_boards([out], dataset="toy[noise=0.5]")) == 2
    with pytest.raises(MmbenchError, match="did you mean quick"):
        load_boards([out], protocol="quik")
    with pytest.raises(MmbenchError, match="no results of dataset 'tox'; did you mean toy"):
        load_boards([out], dataset="tox")
    assert load_boards([out / "nowhere"], dataset="toy") == []


def test_a_folder_of_unreadable_files_is_told_of(tmp_path, caplog):
    path = tmp_path / "standard" / "toy" / "late" / "seed0-abc.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    with caplog.at_level(logging.WARNING):
        assert load_boards([tmp_path]) == []
    assert "seed0-abc.json" in caplog.text
    assert analyse(tmp_path) == []


def test_lower_is_better_is_sorted_and_explained(make):
    rng = np.random.default_rng(0)
    y = rng.normal(size=(200, 1)) * 1000
    factory = make(y, kind="regression", outputs=1)
    for name, noise in (("late", 100), ("gated", 150)):
        factory.add(name, y + rng.normal(size=y.shape) * noise)
    factory.add("unimodal", y + rng.normal(size=y.shape) * 300, role="floor", parameters={"modality": "image"})
    analyse(factory.out, R)
    board = board_of(factory)
    assert [row.label for row in board.rows] == ["late", "gated", "unimodal[modality=image]"]
    text = terminal.render([board])
    assert "RMSE ↓ (in target units)" in text
    assert "below 0 is better" in " ".join(text.split())
    assert re.search(r"1  late +\d{2,3} \[\d{2,3}, \d{3}\] .* −\d{3} \*", text)


def test_boards_need_neither_numpy_nor_torch(results, tmp_path):
    code = f"""
import sys
from pathlib import Path
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("numpy", "torch", "scipy", "sklearn", "datasets", "pandas"):
            raise ImportError(name)
sys.meta_path.insert(0, Blocked())
from mmbench.boards import markdown, terminal
from mmbench.boards.board import load_boards
boards = load_boards([Path({str(results.out)!r})])
print(terminal.render(boards))
print(terminal.render_summary(boards))
markdown.write_markdown(boards, Path({str(tmp_path / "pages")!r}))
heavy = {{"numpy", "torch", "scipy", "sklearn", "datasets", "pandas"}} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "known ceiling" in done.stdout
    assert (tmp_path / "pages" / "README.md").exists()


def test_nothing_of_the_room_imports_what_runs(tmp_path):
    code = """
import sys, pkgutil, importlib
import mmbench.boards
for module in pkgutil.walk_packages(mmbench.boards.__path__, "mmbench.boards."):
    importlib.import_module(module.name)
heavy = {"torch", "datasets", "sklearn", "pandas"} & set(sys.modules)
rooms = {f"mmbench.{room}" for room in ("sweep", "train", "data", "nn")} & set(sys.modules)
assert not heavy | rooms, heavy | rooms
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=Path(tmp_path))
    assert done.returncode == 0, done.stderr
