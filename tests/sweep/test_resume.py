"""What has run is not run again, whatever happened to the sweep."""

import json
from pathlib import Path

WORDS = "run -m slow -m slow[width=4] -d tiny --seeds 4 -j 2 --measures none"
CELLS = tuple(WORDS.split())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("results/**/slow*/seed*.json"))}


def test_a_killed_sweep_goes_on_where_it_was(mmbench, start, until, family, tmp_path):
    sweep = start(*CELLS, DRILL_SECONDS="0.7")
    until(lambda: len(contents(tmp_path)) >= 2, "two records")
    sweep.kill()
    sweep.wait()
    until(lambda: not family(), "the end of all processes")
    kept = contents(tmp_path)
    assert 2 <= len(kept) < 8
    assert all(json.loads(content)["outcome"]["status"] == "ok" for content in kept.values())

    again = mmbench(*CELLS, DRILL_SECONDS="0")
    assert again.returncode == 0, again.stderr
    after = contents(tmp_path)
    assert len(after) == 8
    assert {name: after[name] for name in kept} == kept, "a finished cell was run again"
    assert f"{8 - len(kept)} ok; {len(kept)} done before" in again.stderr
    assert not list(tmp_path.glob("results/**/slow*/.writing-*"))


def test_a_second_run_trains_nothing_and_changes_nothing_and_more_seeds_add_to_it(mmbench, tmp_path):
    words = ("run", "-m", "good", "-d", "tiny", "--seeds", "2")
    first = mmbench(*words)
    before = {path: path.read_bytes() for path in tmp_path.glob("results/**/*") if path.is_file()}
    second = mmbench(*words)
    assert (first.returncode, second.returncode) == (0, 0)
    assert "nothing was left to run; 2 done before" in second.stderr
    assert {path: path.read_bytes() for path in tmp_path.glob("results/**/*") if path.is_file()} == before
    more = mmbench(*words[:-1], "3")
    assert "1 ok; 2 done before" in more.stderr


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
