"""A method that goes wrong costs itself alone, and its user reads why."""

import json
from pathlib import Path

import pytest

FAULTS = {
    "raises": ("error", "RuntimeError: the flux is not compensated"),
    "leaves": ("error", "SystemExit: goodbye"),
    "nan": ("diverged", "predictions are NaN or infinite in 60 of 60 rows"),
    "diverges": ("diverged", "not finite after epoch 3"),
    "shape": ("error", "predict gave shape (60, 2); 60 rows of classification with 3 outputs have shape (60, 3)"),
    "unnormalised": ("error", "do not sum to 1"),
    "killed": ("killed", "the worker was killed by signal 9"),
    "forgets": ("error", "neither a FusionModel nor an Estimator"),
    "scribbles": ("error", "scribbles writes into the splits that it is given; copy a tensor before changing it"),
    "peeks": ("error", "PermissionError: no targets to peek at"),
}


def records(folder: Path) -> dict[str, list[dict]]:
    """All records by method, of whatever dataset."""
    found: dict[str, list[dict]] = {}
    for path in sorted(folder.glob("results/**/seed*.json")):
        record = json.loads(path.read_text())
        found.setdefault(record["identity"]["method"], []).append(record)
    return found


def scores(folder: Path, method: str) -> list[dict]:
    return [record["scores"] for record in records(folder)[method]]


def test_each_fault_is_a_result_and_costs_nobody_else(mmbench, tmp_path):
    wanted = [word for fault in FAULTS for word in ("-m", fault)]
    done = mmbench("run", "-m", "good", *wanted, "-d", "tiny", "--seeds", "2")
    assert done.returncode == 1, done.stderr
    found = records(tmp_path)
    for fault, (status, message) in FAULTS.items():
        assert [record["outcome"]["status"] for record in found[fault]] == [status] * 2, fault
        assert all(message in record["outcome"]["message"] for record in found[fault]), fault
        assert f"{fault} on tiny, seed 0: {status}" in done.stderr
    assert "the flux is not compensated" in found["raises"][0]["outcome"]["traceback"]
    assert found["diverges"][0]["outcome"]["epoch"] == 3
    assert "Traceback" not in done.stderr + done.stdout
    assert [record["outcome"]["status"] for record in found["good"]] == ["ok", "ok"]

    alone = tmp_path / "alone"
    mmbench("run", "-m", "good", "-d", "tiny", "--seeds", "2", "--out", str(alone / "results"))
    assert scores(alone, "good") == scores(tmp_path, "good")


def test_a_hanging_method_is_stopped_at_the_time_limit(mmbench, tmp_path):
    done = mmbench("run", "-m", "hangs", "-m", "good", "-d", "tiny", "--seeds", "1", "--timeout", "5")
    assert done.returncode == 1
    assert records(tmp_path)["hangs"][0]["outcome"]["status"] == "timeout"
    assert records(tmp_path)["good"][0]["outcome"]["status"] == "ok"


def test_a_broken_plugin_and_a_broken_dataset_cost_themselves_alone(mmbench, tmp_path):
    listed = mmbench("list", "plugins")
    assert listed.returncode == 0
    assert "No module named 'mmbench_drill_is_not_here'" in listed.stdout
    done = mmbench("run", "-m", "good", "-d", "tiny", "-d", "broken", "--seeds", "1")
    assert done.returncode == 1
    assert "broken: its data could not be made: OSError: the disk with the recordings is not there" in done.stderr
    assert records(tmp_path)["good"][0]["outcome"]["status"] == "ok"


def test_failed_cells_run_again_only_when_asked(mmbench, tmp_path):
    mmbench("run", "-m", "raises", "-d", "tiny", "--seeds", "1")
    again = mmbench("run", "-m", "raises", "-d", "tiny", "--seeds", "1")
    assert again.returncode == 1
    assert "1 failed before" in again.stderr
    retried = mmbench("run", "-m", "raises", "-d", "tiny", "--seeds", "1", "--retry-failed")
    assert "1 error" in retried.stderr
    assert len(records(tmp_path)["raises"]) == 1


def test_fail_fast_stops_at_the_first_failure(mmbench, tmp_path):
    done = mmbench("run", "-m", "raises", "-m", "good", "-d", "tiny", "--seeds", "1", "-j", "1", "--fail-fast")
    assert done.returncode == 1
    assert "good" not in records(tmp_path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run"], "--all"),
        (["run", "-m", "goood"], "did you mean good?"),
        (["run", "-m", "good[widht=3]"], "did you mean width?"),
        (["run", "-m", "good[width=wide]"], "width=wide is not allowed; it is width=8 (int)"),
        (["run", "-m", "good[width=3"], "write NAME or NAME[key=value,key=value]"),
        (["run", "-m", "good[loss=shrnk]"], "did you mean shrink?"),
        (["run", "-m", "good[encoder=vecto:x]"], "KIND:NAME"),
        (["run", "-d", "tinny", "-m", "good"], "did you mean tiny?"),
        (["run", "-d", "tiny[row=3]", "-m", "good"], "did you mean rows?"),
        (["run", "--all", "--protocol", "quik"], "did you mean quick?"),
    ],
)
def test_a_users_mistake_is_told_without_a_traceback(mmbench, words, message):
    done = mmbench(*words)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_terms_compose_onto_a_method(mmbench, tmp_path):
    done = mmbench("run", "-d", "tiny", "-m", "good[loss=smooth:1]", "-m", "good[loss=shrink(power=1):0.1+smooth]")
    assert done.returncode == 0, done.stderr
    losses = {record["identity"]["parameters"]["loss"] for record in records(tmp_path)["good"]}
    assert losses == {"smooth:1", "shrink(power=1):0.1+smooth:1"}
