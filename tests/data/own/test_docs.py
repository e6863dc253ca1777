"""The worked example of docs/own-data.md runs as it stands there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[3] / "docs" / "own-data.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", DOCS.read_text(), re.DOTALL)


@pytest.mark.slow
@pytest.mark.skipif(not DOCS.exists(), reason="no docs beside an installed package")
def test_the_worked_example(mmbench, tmp_path):
    (script,) = blocks("python")
    assert script.startswith("# make_data.py\n")
    (tmp_path / "make_data.py").write_text(script)
    card = next(block for block in blocks("toml") if block.startswith("# mydata/mmbench.toml\n"))
    begin, then = blocks("sh")
    assert begin.splitlines() == ["python make_data.py", "mmbench data init mydata"]
    subprocess.run([sys.executable, "make_data.py"], cwd=tmp_path, check=True, timeout=120)
    assert mmbench("data", "init", "mydata").returncode == 0
    (tmp_path / "mydata" / "mmbench.toml").write_text(card)
    run, board = (shlex.split(line)[1:] for line in then.splitlines())
    done = mmbench(*run)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = mmbench(*board).stdout
    assert "photo (image 3×16×16), measurements (vector 2), note (tokens" in " ".join(shown.split())
    assert "late" in shown
    again = mmbench(*run)
    assert again.returncode == 0
    assert "nothing was left to run; 10 done before" in again.stderr


def test_every_fragment_of_a_card_can_be_read(tmp_path):
    from mmbench.data.own.card import read_card

    whole, *parts = blocks("toml")
    head, tail = re.split(r"\[split\].*?(?=\[modalities)", whole, maxsplit=1, flags=re.DOTALL)
    for part in parts:
        (tmp_path / "mmbench.toml").write_text(f"{head}{part}{tail}")
        assert read_card(tmp_path / "mmbench.toml", on_hub=True).splitting.fractions == {"validation": 0.1}
    assert parts
