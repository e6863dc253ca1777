"""A method that goes wrong costs itself alone, and its user reads why."""

import pytest

FAULTS = {
    "raises": ("error", "RuntimeError: the flux is not compensated"),
    "leaves": ("error", "SystemExit: goodbye"),
    "nan": ("diverged", "predictions are NaN or infinite in 60 of 60 rows"),
    "diverges": ("diverged", "not finite after epoch 3"),
    "shape": ("error", "predict gave shape (60, 2); 60 rows of classification with 3 outputs have shape (60, 3)"),
    "unnormalised": ("error", "do not sum to 1"),
    "strange": ("error", "predict gave a generator, not a torch.Tensor"),
    "forgets": ("error", "neither a FusionModel nor an Estimator"),
    "scribbles": ("error", "scribbles writes into the splits that it is given; copy a tensor before changing it"),
    "peeks": ("error", "PermissionError: no targets to peek at"),
    "silent": ("error", "SilentError: (its text cannot be shown: ValueError)"),
    "babbles": ("error", r"ValueError: \udcffxxx"),
    "unscorable": ("error", "scores.oddity cannot be kept: Input should be a finite number: nan"),
}


def test_each_fault_is_a_result_and_costs_nobody_else(mmbench, records, outcomes):
    wanted = [word for fault in FAULTS for word in ("-m", fault)]
    done = mmbench("run", "-m", "good", "-m", "meddler", *wanted, "-d", "tiny", "-d", "broken", "--seeds", "2")
    assert done.returncode == 1, done.stderr
    for fault, (status, message) in FAULTS.items():
        for found, said, attempts in outcomes(fault):
            assert (found, attempts) == (status, 1), fault
            assert message in said, fault
            assert len(said) < 600, fault
        assert f"{fault} on tiny, seed 0: {status}" in done.stderr
    found = records()
    assert "the flux is not compensated" in found["raises"][0]["outcome"]["traceback"]
    assert found["diverges"][0]["outcome"]["epoch"] == 3
    assert "broken: its data could not be made: OSError: the disk with the recordings is not there" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert outcomes("good") == [("ok", "", 1)] * 2

    assert mmbench("run", "-m", "good", "-d", "tiny", "--seeds", "2", "--out", "alone").returncode == 0
    alone = [record["scores"] for record in records("alone")["good"]]
    assert [record["scores"] for record in found["good"]] == alone
    # `meddler` is `good` but for its first seed, which leaves every switch of the process in another position
    assert outcomes("meddler")[1] == ("ok", "", 1)
    assert found["meddler"][1]["scores"] == alone[1]
    assert found["meddler"][1]["validation"] == found["good"][1]["validation"]


def test_a_broken_plugin_costs_itself_alone(mmbench):
    listed = mmbench("list", "plugins")
    assert listed.returncode == 0
    assert "No module named 'mmbench_drill_is_not_here'" in listed.stdout


def test_failed_cells_run_again_only_when_asked(mmbench, records):
    mmbench("run", "-m", "raises", "-d", "tiny", "--seeds", "1")
    again = mmbench("run", "-m", "raises", "-d", "tiny", "--seeds", "1")
    assert again.returncode == 1
    assert "1 failed before" in again.stderr
    retried = mmbench("run", "-m", "raises", "-d", "tiny", "--seeds", "1", "--retry-failed")
    assert "1 error" in retried.stderr
    assert len(records()["raises"]) == 1


def test_fail_fast_stops_at_the_first_failure(mmbench, records):
    done = mmbench("run", "-m", "raises", "-m", "good", "-d", "tiny", "--seeds", "1", "-j", "1", "--fail-fast")
    assert done.returncode == 1
    assert "stopped at the first failure" in done.stderr
    assert "good" not in records()


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
        (["run", "--all", "--memory", "much"], "'much' is no size; write 2GiB, 500MB, or 4 for 4 GiB"),
    ],
)
def test_a_users_mistake_is_told_without_a_traceback(mmbench, words, message):
    done = mmbench(*words)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_terms_compose_onto_a_method(mmbench, records):
    done = mmbench("run", "-d", "tiny", "-m", "good[loss=soften:1]", "-m", "good[loss=shrink(power=1):0.1+soften]")
    assert done.returncode == 0, done.stderr
    losses = {record["identity"]["parameters"]["loss"] for record in records()["good"]}
    assert losses == {"soften:1", "shrink(power=1):0.1+soften:1"}


def test_what_is_named_twice_runs_once(mmbench, records):
    plan = mmbench("run", "-m", "good", "-m", "good", "-d", "tiny", "-d", "tiny", "--dry-run")
    assert plan.stdout.count("good") == 1
