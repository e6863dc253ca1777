"""A disk that is full, or a folder that cannot be written to, stops the sweep in one clear line."""

import pytest

LARGE = ("run", "-m", "idle", "-m", "good", "-d", "long", "--seeds", "1", "-j", "1")


def test_a_full_disk_is_found_before_the_first_cell(start):
    sweep = start("run", "-m", "good", "-d", "tiny", limit=30)
    output, _ = sweep.communicate(timeout=60)
    assert sweep.returncode == 2
    assert "cannot write results to results: File too large; choose another with --out" in " ".join(output.split())
    assert "Traceback" not in output


def test_a_disk_that_fills_stops_the_sweep_and_loses_nothing(start, mmbench, records, family, tmp_path, until):
    """The records fit; the predictions of ``good`` for a long test split do not, those of ``idle`` compress."""
    assert mmbench(*LARGE, "--dry-run").returncode == 0
    sweep = start(*LARGE, limit=65)
    output, _ = sweep.communicate(timeout=120)
    assert sweep.returncode == 1
    lines = [line for line in output.splitlines() if "cannot write" in line]
    assert len(lines) == 1
    assert "cannot write to results/standard/long/good: File too large; finished cells are kept; mend that" in lines[0]
    assert "Traceback" not in output
    assert not list(tmp_path.glob("results/**/.writing-*"))
    assert "good" not in records()
    until(lambda: not family(), "the end of all processes")

    kept = {path: path.read_bytes() for path in tmp_path.glob("results/**/idle/seed*")}
    assert len(kept) == 2
    again = mmbench(*LARGE)
    assert again.returncode == 0, again.stderr
    assert "1 ok; 1 done before" in again.stderr
    assert {path: path.read_bytes() for path in kept} == kept


@pytest.mark.parametrize("name", ["standard", ".locks"])
def test_a_folder_that_cannot_be_made_stops_the_sweep(mmbench, tmp_path, name):
    """Something else is in its place: even root cannot write there."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / name).write_text("")
    done = mmbench("run", "-m", "good", "-d", "tiny", "--seeds", "1")
    assert done.returncode == 1
    assert done.stderr.count(f"cannot write to results/{name}") == 1
    assert "finished cells are kept; mend that and run the same command again" in done.stderr
    assert "Traceback" not in done.stderr
