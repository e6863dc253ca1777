"""What users read from every verb after a sweep."""

import json
import shutil
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def sweep(mmbench_in, tmp_path_factory):
    """A sweep that ran once for all tests of this file, and its folder."""
    folder = tmp_path_factory.mktemp("sweep")
    words = ("run", "-m", "good", "-m", "good[width=4]", "-m", "raises", "-d", "tiny", "--seeds", "2")
    return mmbench_in(folder)(*words), folder


@pytest.fixture
def swept(sweep, tmp_path):
    """What it said, with a copy of its results in this test's folder."""
    done, folder = sweep
    assert done.returncode == 1
    shutil.copytree(folder / "results", tmp_path / "results")
    return done


def test_run_ends_with_a_summary_over_datasets(swept):
    assert "tiny" in swept.stdout
    assert "good[width=4]" in swept.stdout
    assert "4 ok, 2 error; 0 done before" in swept.stderr


def test_board_shows_intervals_and_failures_and_writes_markdown(mmbench, swept, tmp_path):
    shown = mmbench("board").stdout
    assert "three clusters" in shown or "tiny" in shown
    assert "metric: accuracy ↑" in shown
    assert "[" in next(line for line in shown.splitlines() if " good " in line)
    assert "2 error" in shown
    assert "RuntimeError: the flux is not compensated" in " ".join(shown.split())
    written = mmbench("board", "--markdown", "boards").stdout.split()
    assert written
    assert (tmp_path / "boards" / "standard" / "tiny.md").exists()
    before = (tmp_path / "boards" / "README.md").read_bytes()
    mmbench("board", "--markdown", "boards")
    assert (tmp_path / "boards" / "README.md").read_bytes() == before


def test_board_needs_nothing_but_the_files(mmbench, swept, tmp_path):
    for sidecar in tmp_path.glob("results/**/*.npz"):
        sidecar.unlink()
    here = mmbench("board", MMBENCH_DISABLE_PLUGINS="drill,embedded,floors,levels,oracle")
    assert here.returncode == 0
    assert here.stdout == mmbench("board").stdout


def test_board_says_what_there_is_when_a_filter_fits_nothing(mmbench, swept):
    done = mmbench("board", "-d", "tinny")
    assert done.returncode == 2
    assert "did you mean tiny?" in " ".join(done.stderr.split())
    assert mmbench("board", "nowhere").returncode == 2


def test_board_without_results_says_what_to_do(mmbench):
    done = mmbench("board")
    assert done.returncode == 2
    assert "there are no results in results; run `mmbench run` first" in " ".join(done.stderr.split())


def test_results_lists_records_and_tells_failures_with_their_traceback(mmbench, swept, tmp_path):
    listed = " ".join(mmbench("results").stdout.split())
    assert "standard tiny good 2 ok" in listed
    assert "standard tiny raises 2 error" in listed
    failed = mmbench("results", "--failed").stdout
    assert 'raise RuntimeError("the flux is not compensated")' in failed
    next(tmp_path.glob("results/**/good/seed1-*.json")).write_text("{")
    assert "is no result of this version" in mmbench("results").stdout


def test_analysis_can_be_made_again_from_the_files(mmbench, swept, tmp_path):
    path = tmp_path / "results" / "standard" / "tiny" / "analysis.json"
    before = path.read_bytes()
    path.unlink()
    assert mmbench("results", "analyse").stdout.strip().endswith("analysis.json")
    assert path.read_bytes() == before


@pytest.mark.parametrize("things", ["methods", "datasets", "terms", "encoders", "measures", "plugins"])
def test_lists_are_for_people_and_for_programs(mmbench, things):
    shown = mmbench("list", things)
    cards = json.loads(mmbench("list", things, "--json").stdout)
    assert shown.returncode == 0
    assert cards
    assert all(card["name"] in shown.stdout for card in cards)


def test_info_says_what_a_bug_report_needs(mmbench, tmp_path):
    shown = mmbench("info", MMBENCH_DATA="/somewhere").stdout
    assert all(word in shown for word in ("mmbench", "python", "torch", "cores", "cache", "/somewhere"))
    assert "1 broken" in shown


ITSELF = """
import sys
from mmbench.cli import main
try:
    main(sys.argv[1:], prog_name="mmbench")
finally:
    print("heavy:", [name for name in ("torch", "datasets", "pandas", "sklearn") if name in sys.modules])
"""


def test_run_itself_imports_nothing_that_its_workers_use(drill_environment, tmp_path):
    """Otherwise it could start no worker in milliseconds, and none at all on a GPU."""
    words = ("run", "-m", "good", "-m", "killed", "-d", "tiny", "-d", "holes", "--seeds", "1")
    done = subprocess.run(
        [sys.executable, "-c", ITSELF, *words], cwd=tmp_path, env=drill_environment, capture_output=True, text=True
    )
    assert "2 ok, 2 killed" in done.stderr
    assert "heavy: []" in done.stdout
