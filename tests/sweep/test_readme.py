"""The README's method is what it says: a plugin in a few lines that runs."""

import os
import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"


def blocks(text: str) -> dict[str, str]:
    """{path: code} of the Python blocks that begin with a path."""
    found = re.findall(r"```python\n# src/(\S+)\n(.*?)```", text, re.DOTALL)
    return dict(found)


@pytest.mark.skipif(not README.exists(), reason="no README beside an installed package")
def test_the_readmes_method_runs(mmbench, drill_environment, tmp_path):
    code = blocks(README.read_text())
    assert set(code) == {"mmbench_gated/__init__.py", "mmbench_gated/model.py"}
    site = tmp_path / "site"
    for path, content in code.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(content)
    info = site / "gated-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gated\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mmbench]\ngated = mmbench_gated\n")
    path = os.pathsep.join([str(site), drill_environment["PYTHONPATH"]])
    done = mmbench("run", "-m", "gated", "-d", "tiny", "-d", "holes", "--seeds", "1", PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    assert "gated" in done.stdout
