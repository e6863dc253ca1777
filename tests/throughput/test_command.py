"""``mmbench throughput`` from the command line to the records."""

import pytest

from mmbench.results.throughput import load_throughput

WORDS = ("throughput", "-d", "breast-cancer-views", "--steps", "5", "--seconds", "0.02", "--timeout", "60")
METHODS = ("good", "idle", "raises", "killed", "picky")


@pytest.fixture(scope="module")
def measured(run_in, tmp_path_factory):
    """A command that ran once for all tests of this file, and its folder."""
    folder = tmp_path_factory.mktemp("measured")
    done = run_in(folder, *WORDS, *(word for method in METHODS for word in ("-m", method)))
    return done, folder


@pytest.fixture
def records(measured):
    return {record.identity.method: record for record in load_throughput(measured[1] / "results")}


def test_every_method_that_can_be_measured_has_a_record(measured, records):
    done, _ = measured
    assert done.returncode == 1, done.stderr
    assert set(records) == {"good", "idle", "raises", "killed"}
    assert "left out: picky on breast-cancer-views: takes image, not vector" in done.stderr


def test_a_model_is_timed_in_training_and_inference(records):
    good = records["good"]
    assert (good.outcome.status, good.kind) == ("ok", "model")
    for phase in (good.train, good.predict):
        assert [row.batch for row in phase.rows][:3] == [1, 32, 256]
        assert phase.largest is phase.rows[-1]
        assert phase.limit
        assert phase.flops_per_sample > 0
        for row in phase.rows:
            assert row.steps >= 5
            assert row.warm_up >= 10
            assert 0 < row.p5_ms <= row.median_ms <= row.p95_ms <= row.p99_ms
            assert row.samples_per_second == pytest.approx(1e3 * row.batch / row.median_ms, rel=1e-3)
            assert row.share_of_peak == pytest.approx(row.flops_per_second / good.peak_flops_per_second, rel=1e-3)
    assert good.train.flops_per_sample > 1.5 * good.predict.flops_per_sample


def test_an_estimator_is_timed_as_it_predicts(records):
    idle = records["idle"]
    assert (idle.outcome.status, idle.kind) == ("ok", "estimator")
    assert not idle.train.rows
    assert "no step" in idle.train.reason
    assert [row.batch for row in idle.predict.rows] == [1, 32, 256]
    assert idle.predict.limit == "the train split has 319 rows"
    assert idle.predict.flops_reason


def test_a_method_that_fails_costs_itself_alone(records):
    raises, killed = records["raises"].outcome, records["killed"].outcome
    assert (raises.status, raises.message) == ("error", "RuntimeError: the flux is not compensated")
    assert "raise RuntimeError" in raises.traceback
    assert killed.status == "killed"
    assert "signal 9" in killed.message
    assert not records["killed"].train.rows


def test_a_record_says_where_and_how_it_was_measured(records):
    good = records["good"]
    setting = good.identity.setting
    assert (setting.device, setting.dtype, setting.threads, setting.compiled) == ("cpu", "float32", 1, False)
    assert setting.torch == good.provenance.libraries["torch"]
    assert (good.identity.steps, good.identity.seconds) == (5, 0.02)
    assert "this is a CPU" in good.energy_reason
    assert len(good.load) == 3
    assert good.busy == (good.load[0] > 0.5)


def test_the_tables_show_what_was_asked_for(measured, records):
    done, _ = measured
    assert f"breast-cancer-views on {records['good'].identity.setting}" in done.stdout
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[:2] for line in lines if line[:1] == ["killed"]] == [["killed", "killed"]] * 2
    assert next(line[1] for line in lines if line[:1] == ["idle"]) == "n/a"
    assert ("the machine is busy" in done.stderr) == records["good"].busy


def test_what_was_measured_is_not_measured_again_unless_it_is_asked_for(measured, run_in, records):
    folder = measured[1]
    again = run_in(folder, *WORDS, "-m", "good", "-m", "raises")
    assert again.returncode == 1
    assert "good on breast-cancer-views: done before" in again.stderr
    assert "raises on breast-cancer-views: error: RuntimeError: the flux is not compensated (before;" in again.stderr
    assert {r.identity.method: r for r in load_throughput(folder / "results")} == records
    path = next((folder / "results" / "throughput").glob("*/*/raises.json"))
    before = path.stat().st_mtime_ns
    anew = run_in(folder, *WORDS, "-m", "raises", "--again")
    assert "the flux is not compensated\n" in anew.stderr
    assert path.stat().st_mtime_ns > before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("throughput",), "say what to measure"),
        (("throughput", "-m", "late", "-d", "avdigits", "--dtype", "tf32"), "tf32 needs --device cuda"),
        (("throughput", "-m", "latte", "-d", "avdigits"), "did you mean late"),
        (("throughput", "-m", "late", "-d", "avdigits", "--memory", "much"), "is no size"),
    ],
)
def test_wrong_usage_is_told_in_words(run_in, tmp_path, words, said):
    done = run_in(tmp_path, *words)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert not (tmp_path / "results" / "throughput").exists()
