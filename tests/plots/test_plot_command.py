"""``mmbench plot``: from files to files."""

import sys

import pytest
from click.testing import CliRunner

from mmbench.cli import main
from mmbench.cli.plot import FORMATS, KINDS
from mmbench.core.errors import MmbenchError
from mmbench.plots import paper
from mmbench.plots.plot import DRAW, plot


@pytest.fixture
def measured(results, tables):
    found = results(modalities=("a", "b", "c"))
    for place, method in enumerate(("late", "gated")):
        measures = {
            "robustness": tables["robustness"](0.9, {("noise", "a"): {1.0: 0.5}, ("noise", "*"): {1.0: 0.4}}),
            "calibration": tables["calibration"]([5, 5], [0.4, 0.8], [0.5, 0.7]),
            "contribution": tables["contribution"]({"a": 0.3, "b": 0.2, "c": 0.1}),
            "missing": tables["missing"]({"a": 0.5, "b": 0.5, "c": 0.5, "a+b+c": 0.9}),
            "matching": tables["matching"]({("a", "b"): 0.5, ("a", "c"): 0.2, ("b", "c"): 0.1}),
        }
        found.add(method, 0.9 - place / 10, measures=measures)
        found.time(method, {1: 10.0 + place})
    return found


def run(*words):
    return CliRunner().invoke(main, ["plot", *map(str, words)])


def test_without_a_kind_all_is_drawn_that_there_are_data_for(measured, tmp_path):
    done = run(measured.out, "--out", tmp_path / "pictures")
    assert done.exit_code == 0, done.output
    names = {path.name for path in (tmp_path / "pictures" / "standard").iterdir()}
    kinds = ("robustness", "reliability", "contribution", "missing", "pareto", "matching-late", "matching-gated")
    assert names == {f"toy-{kind}.png" for kind in kinds}
    assert "no predicted of toy: there is no theory" in done.stderr
    assert all(name in done.stdout for name in names)


def test_one_kind_one_method_as_svg(measured, tmp_path):
    done = run(measured.out, "-k", "missing", "-m", "late", "--format", "svg", "--out", tmp_path / "p")
    assert done.exit_code == 0, done.output
    (path,) = (tmp_path / "p").rglob("*.*")
    assert path.name == "toy-missing.svg"
    assert path.read_bytes().startswith(b"<?xml")


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_files_give_the_same_bytes(measured, tmp_path, form):
    paths = [plot([measured.out], tmp_path / name, form=form).paths for name in ("first", "second")]
    assert len(paths[0]) == 7
    assert [path.read_bytes() for path in paths[0]] == [path.read_bytes() for path in paths[1]]


def test_the_users_own_settings_of_matplotlib_change_nothing(measured, tmp_path):
    import matplotlib as mpl

    (plain,) = plot([measured.out], tmp_path / "a", kinds=["missing"]).paths
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "axes.facecolor": "red"}):
        (other,) = plot([measured.out], tmp_path / "b", kinds=["missing"]).paths
    assert plain.read_bytes() == other.read_bytes()


def test_pictures_are_1200_pixels_wide(measured, tmp_path):
    from PIL import Image

    for path in plot([measured.out], tmp_path).paths:
        assert Image.open(path).width == 1200


def test_nothing_to_draw_is_a_sentence_that_says_what_to_do(results, tmp_path):
    found = results()
    found.add("late", 0.9)
    done = run(found.out, "--out", tmp_path / "p")
    assert done.exit_code == 2
    assert "there is nothing to draw; take measures first" in done.stderr
    assert "no robustness of toy: nothing was measured" in done.stderr
    assert not (tmp_path / "p").exists()


def test_an_empty_folder_is_told(tmp_path):
    done = run(tmp_path)
    assert done.exit_code == 2
    assert "there are no results in" in done.stderr


def test_an_unknown_method_is_told_with_a_suggestion(measured, tmp_path):
    done = run(measured.out, "-m", "gatde", "--out", tmp_path / "p")
    assert done.exit_code == 2
    assert "did you mean gated" in done.stderr


def test_two_folders_of_the_same_dataset_are_not_drawn_into_one_file(measured, tmp_path):
    other = type(measured)(tmp_path / "others")
    other.add("late", 0.8)
    with pytest.raises(MmbenchError, match="both hold standard/toy"):
        plot([measured.out, other.out], tmp_path / "p")


def test_without_matplotlib_the_error_says_what_to_install(measured, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = run(measured.out, "--out", tmp_path / "p")
    assert done.exit_code == 2
    assert "pip install 'mmbench[plot]'" in done.stderr


def test_the_command_offers_what_can_be_drawn():
    assert tuple(DRAW) == KINDS
    assert paper.FORMATS == FORMATS


def test_help_imports_no_matplotlib():
    import subprocess

    script = (
        "import sys\nfrom mmbench.cli import main\n"
        "main(['plot', '--help'], standalone_mode=False)\nassert 'matplotlib' not in sys.modules, 'it is imported'"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
