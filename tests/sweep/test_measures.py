"""Measures of the fitted method: taken once, beside the record, and a fault of one costs that one alone."""

import json
import signal
import time
from pathlib import Path

import pytest


def entries(folder: Path, method: str = "good", seed: int = 0) -> dict:
    path = next(folder.glob(f"results/**/{method}/measures-seed{seed}-*.json"))
    return json.loads(path.read_text()).get("measures", {})


def records(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("results/**/seed*"))}


def test_a_measure_finds_what_the_subject_offers(mmbench, tmp_path):
    done = mmbench("run", "-m", "good", "-d", "tiny", "--seeds", "1", "--measures", "census")
    assert done.returncode == 0, done.stderr
    found = entries(tmp_path)["census"]
    record = json.loads(next(tmp_path.glob("results/**/seed0-*.json")).read_text())
    assert found["scores"] == {"census": 60}
    assert found["score"] == record["scores"]["accuracy"]
    assert found["notes"]["chance"] == round(record["chance"], 4)
    assert found["notes"]["fitted_again"] > 0.5
    assert set(found["tables"]["embeddings"]["modality"]) <= {"left", "right"}
    assert found["source"]
    assert found["seconds"] > 0


def test_parameters_and_protocols_change_a_measure_and_its_name(mmbench, tmp_path):
    words = ("run", "-m", "good", "-d", "tiny", "--seeds", "1")
    assert mmbench(*words, "--measures", "census[times=3]").returncode == 0
    assert mmbench(*words, "--measures", "census", "--protocol", "quick").returncode == 0
    found = [json.loads(path.read_text())["measures"] for path in sorted(tmp_path.glob("results/**/measures-*.json"))]
    assert {name: entry["scores"]["census"] for some in found for name, entry in some.items()} == {
        "census[times=3]": 180,
        "census[times=2]": 120,
    }


def test_what_has_a_score_is_measured_without_a_change_of_its_record(mmbench, tmp_path):
    words = ("run", "-m", "good", "-d", "tiny", "--seeds", "2")
    assert mmbench(*words, "--measures", "none").returncode == 0
    before = records(tmp_path)
    assert not list(tmp_path.glob("results/**/measures-*"))
    plan = mmbench(*words, "--measures", "census", "--dry-run")
    assert "partial (seed 0, 1)" in plan.stdout
    done = mmbench(*words, "--measures", "census")
    assert done.returncode == 0, done.stderr
    assert "2 ok" in done.stderr
    assert records(tmp_path) == before
    assert entries(tmp_path, seed=1)["census"]["scores"] == {"census": 60}
    again = mmbench(*words, "--measures", "census")
    assert "nothing was left to run; 2 done before" in again.stderr
    more = mmbench(*words, "--measures", "census,mute")
    assert more.returncode == 0
    assert sorted(entries(tmp_path)) == ["census", "mute"]
    assert entries(tmp_path)["mute"]["reason"] == "it has nothing to say about this method"


def test_a_measure_that_fails_costs_itself_alone(mmbench, tmp_path):
    words = ("run", "-m", "good", "-d", "tiny", "--seeds", "1", "--measures", "census,raising,vague")
    done = mmbench(*words)
    assert done.returncode == 1
    assert "measure raising: ValueError: this measure has no numbers" in done.stderr
    found = entries(tmp_path)
    assert found["census"]["scores"] == {"census": 60}
    assert "no numbers" in found["raising"]["traceback"]
    assert "gave no score and no reason" in found["vague"]["error"]
    told = mmbench("results", "--failed").stdout
    assert "measure raising: ValueError: this measure has no numbers" in told
    assert "Traceback" in told
    again = mmbench(*words)
    assert "of 1 a measure failed before" in again.stderr
    retried = mmbench(*words, "--retry-failed")
    assert retried.returncode == 1
    assert "measure raising: ValueError" in retried.stderr
    assert entries(tmp_path)["census"] == found["census"]


def test_a_measure_that_kills_its_worker_costs_itself_alone(mmbench, tmp_path):
    words = ("run", "-m", "good", "-d", "tiny", "--seeds", "2", "-j", "1")
    done = mmbench(*words, "--measures", "census,fatal,mute")
    assert done.returncode == 1
    assert "seed 1: measure fatal: the worker ended while it was measured" in done.stderr
    for seed in (0, 1):
        found = entries(tmp_path, seed=seed)
        assert found["census"]["scores"] == {"census": 60}
        assert found["fatal"]["error"] == "the worker ended while it was measured"
        assert found["mute"]["reason"]
    assert all(json.loads(r)["outcome"]["status"] == "ok" for name, r in records(tmp_path).items() if "json" in name)


def test_a_measure_that_was_interrupted_is_taken_when_the_command_is_repeated(mmbench, start, tmp_path):
    words = ("run", "-m", "good", "-d", "tiny", "--seeds", "1", "--measures", "endless,mute")
    running = start(*words)
    marks = tmp_path / "notes" / "endless"
    deadline = time.monotonic() + 120
    while not marks.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    assert running.wait(60) == 130
    assert "endless" not in entries(tmp_path)  # it was not its fault
    again = mmbench(*words)  # this time it ends
    assert again.returncode == 0, again.stderr
    assert entries(tmp_path)["endless"]["scores"] == {"endless": 1}
    assert entries(tmp_path)["mute"]["reason"]


def test_a_measure_that_writes_into_the_data_harms_no_other_cell(mmbench, tmp_path):
    words = ("run", "-m", "good", "-d", "tiny", "--seeds", "2", "-j", "1")
    assert mmbench(*words, "--measures", "none", "--out", "clean").returncode == 0
    done = mmbench(*words, "--measures", "census,scribbling,mute")
    assert done.returncode == 1
    assert "measure scribbling: it writes into what it was given" in done.stderr
    clean = [json.loads(path.read_text())["scores"] for path in sorted(tmp_path.glob("clean/**/seed*.json"))]
    assert [json.loads(path.read_text())["scores"] for path in sorted(tmp_path.glob("results/**/seed*.json"))] == clean
    again = mmbench(*words, "--measures", "census,scribbling,mute")  # what came after it is taken now
    assert again.returncode == 0, again.stderr
    assert entries(tmp_path)["mute"]["reason"]


@pytest.mark.parametrize(("measure", "said"), [("infinite", "infinite is nan"), ("beyond", "its card says 0.0 to 1.0")])
def test_a_score_that_is_no_number_or_beyond_its_range_is_refused(mmbench, tmp_path, measure, said):
    done = mmbench("run", "-m", "good", "-d", "tiny", "--seeds", "1", "--measures", measure)
    assert done.returncode == 1
    assert said in done.stderr
    assert "scores" not in entries(tmp_path)[measure]


@pytest.mark.parametrize("content", ["", '{"measures": [', '{"measures": []}', '{"measures": {"mute": {}}}'])
def test_a_damaged_file_of_measurements_is_measured_again(mmbench, tmp_path, content):
    words = ("run", "-m", "good", "-d", "tiny", "--seeds", "1", "--measures", "mute")
    assert mmbench(*words).returncode == 0
    next(tmp_path.glob("results/**/measures-*.json")).write_text(content)
    again = mmbench(*words)
    assert again.returncode == 0, again.stderr
    assert entries(tmp_path)["mute"]["reason"]


def test_a_method_without_a_score_is_not_measured(mmbench, tmp_path):
    done = mmbench("run", "-m", "raises", "-m", "good", "-d", "tiny", "--seeds", "1", "--measures", "census")
    assert done.returncode == 1
    assert not list(tmp_path.glob("results/**/raises/measures-*"))
    assert entries(tmp_path)["census"]["scores"]


@pytest.mark.parametrize(
    ("measures", "said"),
    [
        ("censu", "there is no measure 'censu' to choose; did you mean census"),
        ("oddity", "it stands in every record"),
        ("census[time=3]", "has no parameter 'time'"),
        ("census[times=x]", "times=x is not allowed"),
        ("none,census", "'none' stands alone"),
    ],
)
def test_a_wrong_choice_is_told(mmbench, tmp_path, measures, said):
    done = mmbench("run", "-m", "good", "-d", "tiny", "--measures", measures)
    assert done.returncode == 2
    assert said in done.stderr
    assert not list(tmp_path.glob("results/**/seed*"))
