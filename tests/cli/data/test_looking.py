"""``mmbench data list`` and ``mmbench data info`` say what there is, and where."""

import json
import subprocess
import sys

import pytest


def line_of(name: str, text: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if line.split()[:1] == [name])


def test_list_says_where_files_are_and_what_is_prepared(mmbench, tmp_path):
    assert mmbench("data", "check", "clean").returncode == 0
    shown = mmbench("data", "list").stdout
    assert line_of("clean", shown)[:4] == ["clean", "classification", "2", "40/20/20"]
    assert line_of("clean", shown)[-2:] == ["embedded", "yes"]
    assert line_of("leaky", shown)[-2:] == ["embedded", "no"]
    assert "left (vector 4), right (sequence 5×2)" in " ".join(shown.split())
    assert "missing: mmbench data fetch stars" in shown
    assert "moons" in shown


def test_files_may_lie_in_two_places(mmbench, tmp_path):
    (tmp_path / "files" / "stars").mkdir(parents=True)
    where = {"MMBENCH_DATA": str(tmp_path / "files")}
    far = json.loads(mmbench("data", "list", "--json", **where).stdout)[3]
    assert far["files"] == "missing: mmbench data fetch moons"
    assert far["collections"] == {"stars": str(tmp_path / "files" / "stars"), "moons": ""}
    (tmp_path / "cache" / "collections" / "moons").mkdir(parents=True)
    assert line_of("far", mmbench("data", "list", **where).stdout)[-3:] == ["MMBENCH_DATA,", "fetched", "no"]


def test_list_is_for_programs_too(mmbench):
    clean = json.loads(mmbench("data", "list", "--json").stdout)[0]
    assert clean == {
        "name": "clean",
        "task": "classification",
        "outputs": 2,
        "sizes": [40, 20, 20],
        "modalities": {"left": "vector", "right": "sequence"},
        "collections": {},
        "files": "embedded",
        "prepared": False,
    }


@pytest.mark.parametrize("verb", [["list"], ["list", "--json"]])
def test_list_imports_nothing_heavy(verb):
    script = (
        "import sys\nfrom mmbench.cli import main\n"
        f"main(['data', *{verb}], standalone_mode=False)\n"
        "print('heavy:', *({'torch', 'datasets', 'sklearn', 'pandas', 'numpy', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.splitlines()[-1].strip() == "heavy:"


def test_a_damaged_cache_hides_no_dataset(mmbench, tmp_path):
    assert mmbench("data", "check", "clean").returncode == 0
    next(tmp_path.glob("cache/datasets/clean-*/prepared.json")).write_text("{")
    shown = mmbench("data", "list").stdout
    assert "is damaged" in " ".join(shown.split())
    assert line_of("leaky", shown)[-1] == "no"


def test_info_tells_the_whole_card(mmbench):
    shown = " ".join(mmbench("data", "info", "clean").stdout.split())
    for said in (
        "dataset clean",
        "the clean one",
        "task classification 2, judged by accuracy ↑",
        "modality left: vector 4",
        "modality right: sequence 5×2",
        "rows 40/20/20",
        "group person",
        "protocol quick: leaves it out: too small",
        "licence MIT",
        "notes Nothing leaks.",
        "parameter rows=40 (int)",
        "parameter leak=0 (int)",
        "files embedded",
        "prepared no",
    ):
        assert said in shown
    stated = " ".join(mmbench("data", "info", "stated").stdout.split())
    assert "preset leak=1" in stated
    assert "finding 1 row of test is equal to a row of train in every modality (class agrees)" in stated


def test_info_says_where_a_dataset_is_prepared_and_as_what(mmbench, tmp_path):
    assert mmbench("data", "check", "clean[rows=30]").returncode == 0
    shown = " ".join(mmbench("data", "info", "clean[rows=30]").stdout.split())
    folder = next(tmp_path.glob("cache/datasets/clean*"))
    kept = json.loads((folder / "prepared.json").read_text())
    assert f"prepared {folder}" in shown
    assert f"fingerprint {kept['fingerprint']}" in shown
    assert "rows 30/20/20" in shown
    assert "prepared no" in " ".join(mmbench("data", "info", "clean").stdout.split())


def test_info_says_where_files_are(mmbench, tmp_path):
    (tmp_path / "cache" / "collections" / "moons").mkdir(parents=True)
    shown = " ".join(mmbench("data", "info", "far").stdout.split())
    assert "files missing: mmbench data fetch stars" in shown
    assert "collection stars: missing" in shown
    assert f"collection moons: {tmp_path / 'cache' / 'collections' / 'moons'}" in shown


def test_info_of_what_cannot_be_imported_tells_the_rest(mmbench, tmp_path):
    (tmp_path / "site" / "mmbench_small_data.py").write_text("import a_library_that_is_not_here")
    done = mmbench("data", "info", "clean")
    assert done.returncode == 0
    assert "parameters not known: No module named 'a_library_that_is_not_here'" in " ".join(done.stdout.split())
    assert mmbench("data", "info", "cleen").returncode == 2


def test_meanings_of_parameters_come_from_the_docstring():
    from mmbench.cli.data.meanings import meanings

    def build(*, rows: int = 1, low: float = 0, high: float = 1, seed: int = 0) -> None:
        """Something.

        Args:
            rows: of the table,
                and of its copy.
            low, high: bounds.

        Raises:
            ValueError: never.
        """

    assert meanings(build) == {"rows": "of the table, and of its copy.", "low": "bounds.", "high": "bounds."}
    assert meanings(lambda: None) == {}


def test_info_says_when_it_speaks_of_the_default_parameters():
    import os

    if "MMBENCH_DATA" not in os.environ:
        pytest.skip("MMBENCH_DATA names no folder of real data")
    words = [sys.executable, "-m", "mmbench", "data", "info"]
    other = subprocess.run([*words, "rosmap[seed=5]"], capture_output=True, text=True, check=True).stdout
    assert "of the default parameters" in other
    default = subprocess.run([*words, "rosmap"], capture_output=True, text=True, check=True).stdout
    assert "of the default parameters" not in default
    assert "seed=0 (int, 0 to 2.14748e+09): of the 49 training rows" in " ".join(default.split())
