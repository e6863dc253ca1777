"""What has run is not run again, whatever happened to the sweep."""

import json
import os
import signal
import time
from pathlib import Path

CELLS = ("run", "-m", "slow", "-m", "slow[width=4]", "-d", "tiny", "--seeds", "4", "-j", "2")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("results/**/slow*/seed*.json"))}


def wait_for_records(folder: Path, number: int) -> None:
    deadline = time.monotonic() + 120
    while len(contents(folder)) < number:
        assert time.monotonic() < deadline, "the sweep wrote nothing"
        time.sleep(0.05)


def running_workers(marker: str) -> list[int]:
    """Processes whose environment holds the marker."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if marker.encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
        except (OSError, PermissionError):
            continue
    return found


def test_a_killed_sweep_goes_on_where_it_was(mmbench, start, tmp_path):
    marker = f"DRILL_MARK={tmp_path}"
    sweep = start(*CELLS, DRILL_SECONDS="0.7", DRILL_MARK=str(tmp_path))
    wait_for_records(tmp_path, 2)
    os.kill(sweep.pid, signal.SIGKILL)
    sweep.wait()
    deadline = time.monotonic() + 20
    while running_workers(marker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not running_workers(marker), "an orphan outlived the sweep"
    kept = contents(tmp_path)
    assert 2 <= len(kept) < 8
    assert all(json.loads(content)["outcome"]["status"] == "ok" for content in kept.values())

    again = mmbench(*CELLS, DRILL_SECONDS="0")
    assert again.returncode == 0, again.stderr
    after = contents(tmp_path)
    assert len(after) == 8
    assert {name: after[name] for name in kept} == kept, "a finished cell was run again"
    assert f"{8 - len(kept)} ok; {len(kept)} done before" in again.stderr
    assert not list(tmp_path.glob("results/**/.writing-*")) or len(kept) < 8


def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(start, tmp_path):
    sweep = start(*CELLS, DRILL_SECONDS="0.7")
    wait_for_records(tmp_path, 1)
    os.kill(sweep.pid, signal.SIGINT)
    output, _ = sweep.communicate(timeout=60)
    assert sweep.returncode == 130
    assert "the same command goes on from here" in output
    assert "Traceback" not in output


def test_a_second_run_trains_nothing_and_changes_nothing(mmbench, tmp_path):
    words = ("run", "-m", "good", "-d", "tiny", "--seeds", "2")
    first = mmbench(*words)
    before = {path: path.read_bytes() for path in tmp_path.glob("results/**/*") if path.is_file()}
    second = mmbench(*words)
    assert (first.returncode, second.returncode) == (0, 0)
    assert "nothing was left to run; 2 done before" in second.stderr
    assert {path: path.read_bytes() for path in tmp_path.glob("results/**/*") if path.is_file()} == before


def test_more_seeds_add_to_what_is_there(mmbench, tmp_path):
    mmbench("run", "-m", "good", "-d", "tiny", "--seeds", "1")
    more = mmbench("run", "-m", "good", "-d", "tiny", "--seeds", "3")
    assert "2 ok; 1 done before" in more.stderr


def test_the_dry_run_tells_the_state_of_every_cell(mmbench, tmp_path):
    mmbench("run", "-m", "good", "-m", "raises", "-d", "tiny", "--seeds", "1")
    record = next(tmp_path.glob("results/**/good/seed0-*.json"))
    record.rename(record.with_name("seed1-0123456789abcdef.json"))  # as if other code had made it, for seed 1
    plan = mmbench("run", "-m", "good", "-m", "raises", "-m", "picky", "-d", "tiny", "--seeds", "3", "--dry-run")
    rows = {line.split()[1]: " ".join(line.split()) for line in plan.stdout.splitlines() if line.startswith("tiny")}
    assert rows["good"] == "tiny good new (seed 0, 2); stale (seed 1)"
    assert rows["raises"] == "tiny raises failed (seed 0); new (seed 1, 2)"
    assert rows["picky"] == "tiny picky skip: takes image, not vector"
    assert plan.returncode == 0


def test_a_protocol_changes_and_leaves_out_datasets(mmbench, tmp_path):
    plan = mmbench("run", "--all", "--protocol", "quick", "--dry-run", MMBENCH_DISABLE_PLUGINS="embedded,unimportable")
    assert "tiny[rows=48]" in plan.stdout
    assert "skip: too large" in plan.stdout
    named = mmbench("run", "-m", "good", "-d", "large", "--protocol", "quick", "--dry-run")
    assert "large" in named.stdout
    assert "skip" not in named.stdout
