"""Two sweeps over one folder share the work: each cell runs once, and both tell the truth."""

import re

CELLS = ("run", "-m", "slow", "-m", "slow[width=4]", "-m", "slow[width=6]", "-d", "tiny", "--seeds", "2", "-j", "1")


def test_two_sweeps_at_once_share_the_work(start, records, noted, mmbench, tmp_path):
    sweeps = [start(*CELLS, DRILL_SECONDS="0.7") for _ in range(2)]
    outputs = [sweep.communicate(timeout=120)[0] for sweep in sweeps]
    assert [sweep.returncode for sweep in sweeps] == [0, 0], outputs
    assert len(records()["slow"]) == 6
    assert len(noted("fits")) == 6, "a cell ran twice"
    ran = [sum(map(int, re.findall(r"^(\d+) ok", output, re.MULTILINE))) for output in outputs]
    theirs = [sum(map(int, re.findall(r"(\d+) ok by another sweep", output.splitlines()[-1]))) for output in outputs]
    assert sum(ran) == 6, outputs
    assert [mine + other for mine, other in zip(ran, theirs, strict=True)] == [6, 6], outputs
    assert "nothing was left to run; 6 done before" in mmbench(*CELLS).stderr
    analysis = next(tmp_path.glob("results/**/analysis.json")).read_text()
    assert '"records": 6' in analysis


def test_a_sweep_waits_for_what_another_runs_and_takes_over_if_that_dies(start, until, noted, outcomes):
    words = ("run", "-m", "slow", "-d", "tiny", "--seeds", "2", "-j", "1")
    first = start(*words, DRILL_SECONDS="600")
    until(lambda: noted("fits"), "a cell in flight")
    second = start(*words, DRILL_SECONDS="0")
    lines = iter(second.stdout.readline, "")
    assert any("waiting for another sweep that runs slow on tiny" in line for line in lines)
    first.kill()
    output, _ = second.communicate(timeout=60)
    assert second.returncode == 0, output
    assert "waiting" not in output
    assert outcomes("slow") == [("ok", "", 1)] * 2


def test_locks_do_not_disturb_what_reads_results(mmbench):
    mmbench("run", "-m", "good", "-d", "tiny", "--seeds", "1")
    assert mmbench("results").stdout.count("tiny") == 1
    assert "results/.locks" not in mmbench("results", "--failed").stdout
    assert mmbench("board").stdout.count("examples:") == 1
