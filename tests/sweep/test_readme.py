"""The method of the README and the measure of the docs are what they say: plugins in a few lines that run."""

import json
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README, MEASURES = ROOT / "README.md", ROOT / "docs" / "measures" / "README.md"


def install(site: Path, page: Path, name: str) -> None:
    """The Python blocks of a page that begin with a path, as an installed plugin."""
    for path, content in re.findall(r"```python\n# src/(\S+)\n(.*?)```", page.read_text(), re.DOTALL):
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(content)
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[mmbench]\n{name} = mmbench_{name}\n")


@pytest.mark.skipif(not README.exists(), reason="no README beside an installed package")
def test_the_readmes_method_runs(mmbench, drill_environment, tmp_path):
    site = tmp_path / "site"
    install(site, README, "gated")
    assert {file.name for file in (site / "mmbench_gated").iterdir()} == {"__init__.py", "model.py"}
    path = os.pathsep.join([str(site), drill_environment["PYTHONPATH"]])
    done = mmbench("run", "-m", "gated", "-d", "tiny", "-d", "holes", "--seeds", "1", PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    assert "gated" in done.stdout


@pytest.mark.skipif(not MEASURES.exists(), reason="no docs beside an installed package")
def test_the_docs_measure_runs(mmbench, drill_environment, tmp_path):
    site = tmp_path / "site"
    install(site, MEASURES, "margin")
    path = os.pathsep.join([str(site), drill_environment["PYTHONPATH"]])
    words = ("run", "-m", "good", "-d", "tiny", "--seeds", "1", "--measures", "margin[most=20]")
    done = mmbench(*words, PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    (file,) = tmp_path.glob("results/**/measures-*.json")
    found = json.loads(file.read_text())["measures"]["margin[most=20]"]
    assert found["notes"] == {"rows": 20}
    assert 0 < found["scores"]["margin"] <= 1
    board = mmbench("board", PYTHONPATH=path)
    assert "margin" in board.stdout
