"""Looking around is quick: it imports none of the heavy libraries. Each command runs in a fresh process."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "datasets", "sklearn", "scipy", "pandas", "pyarrow", "pydantic", "numpy")


def imported(script: str, *words: str) -> set[str]:
    """Heavy libraries in memory after a script has run."""
    tail = f"\nimport sys\nprint('\\nheavy:', *(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script + tail, *words], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("heavy:")[2].split())


COMMAND = """
import sys
from mmbench.cli import main
try:
    main(sys.argv[1:], prog_name="mmbench", standalone_mode=False)
except SystemExit as end:
    assert not end.code, end.code
"""


@pytest.mark.parametrize(
    "words", ["--help", "--version", *(f"list {things}" for things in ("methods", "datasets", "plugins", "measures"))]
)
def test_looking_around_imports_nothing_heavy(words):
    assert imported(COMMAND, *words.split()) == set()


def test_the_module_can_be_run():
    done = subprocess.run(
        [sys.executable, "-m", "mmbench", "list", "methods"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "late" in done.stdout


def test_what_a_plugin_imports_for_its_cards_is_light():
    assert imported("from mmbench import DatasetCard, MethodCard, MmbenchError, Modality, Task, hookimpl") == set()
    assert imported("from mmbench.registry import installed\nassert installed().methods") == set()


def test_the_heavy_names_are_there_when_they_are_wanted():
    assert "torch" in imported("from mmbench import FusionModel")


def test_states_of_results_are_read_without_numpy_and_pydantic():
    script = "from pathlib import Path\nfrom mmbench.results.store import status\nassert status(Path('none')) is None"
    assert imported(script) == set()


def test_a_prepared_dataset_is_looked_for_without_anything_heavy():
    script = (
        "from mmbench.data.cache import find\nfrom mmbench.registry import installed\n"
        "assert len([find(card, {}) for card in installed().datasets.values()]) > 20"
    )
    assert imported(script) <= {"pydantic"}
