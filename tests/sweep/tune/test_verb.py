"""``mmbench tune`` as users run it: trials, the rows that they lead to, and what is kept of both."""

import json
import sys

import pytest
from click.testing import CliRunner

from mmbench.cli import main
from mmbench.core.errors import MmbenchError
from mmbench.results import store
from mmbench.results.history import history_path, read_history

METHODS = ("-m", "good", "-m", "fickle", "-m", "idle", "-m", "raises", "-m", "linear")
WORDS = ("tune", *METHODS, "-d", "holes", "--seeds", "2", "--trials", "8")


@pytest.fixture(scope="module")
def tuned(mmbench_in, tmp_path_factory):
    """A search that ran once for all tests of this file, beside rows that were not tuned, and its folder."""
    folder = tmp_path_factory.mktemp("tuned")
    run = mmbench_in(folder)
    run("run", "-m", "good", "-m", "linear", "-d", "holes", "--seeds", "2")
    done = run(*WORDS, "-j", "2")
    assert done.returncode == 1, done.stderr  # one method has no good trial
    return done, folder


def rows(folder, method):
    """Tuned records, and the history that they name."""
    paths = sorted(folder.glob(f"results/standard/holes/{method}+tuned=8/seed*.json"))
    records = [store.read(path) for path in paths]
    return records, read_history(paths[0].parent, records[0].tuning.history)


def test_every_method_gets_the_same_budget_and_rows_under_every_seed(tuned):
    _, folder = tuned
    for method in ("good", "fickle", "idle"):
        records, history = rows(folder, method)
        assert [record.identity.seed for record in records] == [0, 1]
        assert [trial.number for trial in history.trials] == list(range(8))
        assert history.budget == 8
        assert history.trials[0].values == {}
        for record in records:
            assert record.ok
            assert (record.identity.tuned, record.identity.trials, record.identity.sampler) == (True, 8, "random")
            assert record.scores["accuracy"] > (0.2 if method == "idle" else 0.5)
    assert not list(folder.glob("results/standard/holes/linear+tuned*"))


def test_rows_have_the_values_of_the_best_trial_on_validation(tuned):
    _, folder = tuned
    for method in ("good", "fickle"):
        records, history = rows(folder, method)
        scores = {trial.number: trial.score for trial in history.trials if trial.score is not None}
        assert history.best == max(scores, key=lambda k: (scores[k], -k))
        assert history.best > 0, "here the default can be bettered"
        values = history.trials[history.best].values
        assert values.get("mood", "good") == "good"
        for record in records:
            assert record.identity.parameters == {k: v for k, v in values.items() if k != "mood"}  # the default
            assert record.tuning.best == history.best
            assert record.tuning.validation == scores[history.best] >= record.tuning.default == scores[0]


def test_a_failing_trial_is_a_trial_and_the_search_goes_on(tuned):
    _, folder = tuned
    trials = rows(folder, "fickle")[1].trials
    bad = [trial for trial in trials if trial.values.get("mood") == "bad"]
    assert bad
    assert {(trial.status, trial.message, trial.score) for trial in bad} == {("error", "RuntimeError: not today", None)}
    assert all(trial.status in ("ok", "pruned") for trial in trials if trial not in bad)


def test_a_pruned_trial_is_spent_and_has_no_score(tuned):
    done, folder = tuned
    pruned = [
        trial for method in ("good", "fickle") for trial in rows(folder, method)[1].trials if trial.status == "pruned"
    ]
    assert pruned
    assert all(trial.number >= 5 and trial.score is None and trial.epochs >= 20 for trial in pruned)
    assert "pruned: ended after epoch" in done.stderr
    states = next(line.split() for line in done.stderr.splitlines() if line.startswith("holes") and " good " in line)
    assert "pruned" in states


def test_the_trainers_options_are_left_out_where_nothing_is_trained(tuned):
    _, folder = tuned
    records, history = rows(folder, "idle")
    assert {tuple(trial.values) for trial in history.trials} == {()}
    assert records[0].identity.parameters == {}


def test_a_record_leads_to_its_history_and_a_changed_history_is_refused(tuned, tmp_path):
    _, folder = tuned
    (record, *_), history = rows(folder, "good")
    assert set(history.space) == {"lr", "weight_decay"}
    assert history.optuna
    assert history.digest == record.tuning.history
    path = history_path(tmp_path, history.digest)
    with pytest.raises(MmbenchError, match="is missing"):
        read_history(tmp_path, history.digest)
    path.write_bytes(history.content.replace(b'"best": ', b'"best":  '))
    with pytest.raises(MmbenchError, match="was changed"):
        read_history(tmp_path, history.digest)


def test_the_same_command_again_trains_nothing(tuned, mmbench_in):
    _, folder = tuned
    before = {path: path.read_bytes() for path in folder.glob("results/**/*") if path.is_file()}
    again = mmbench_in(folder)(*WORDS)
    assert again.returncode == 1, again.stderr
    assert "nothing was left to run; 7 done before" in again.stderr
    assert {path: path.read_bytes() for path in folder.glob("results/**/*") if path.is_file()} == before


def test_budgets_are_shown_apart_with_what_cannot_be_tuned_in_both(tuned, mmbench_in):
    done, folder = tuned
    assert "summary · protocol standard · default" in done.stdout
    assert "summary · protocol standard · tuned (8 trials)" in done.stdout
    plain, tuned_board = mmbench_in(folder)("board").stdout.split(" · default\n")[1].split(" · tuned (8 trials)\n")[:2]
    assert " good " in plain
    assert " fickle " not in plain
    assert " linear " in plain
    assert all(f" {method} " in tuned_board for method in ("good", "fickle", "idle", "linear"))
    assert "tuning: 8 trials of every method" in tuned_board


def test_a_killed_search_goes_on_where_it_was_and_comes_to_the_same(mmbench, start, until, family, tmp_path):
    def trials(out="results"):
        return {path.parent.name: path.read_bytes() for path in tmp_path.glob(f"{out}/**/tuning/slow*/*/trial-*.json")}

    words = ("tune", "-m", "slow[epochs=4]", "-d", "tiny", "--seeds", "1", "--trials", "6")
    search = start(*words, "-j", "2", DRILL_SECONDS="0.7")
    until(lambda: len(trials()) >= 2, "two trials")
    search.kill()
    search.wait()
    until(lambda: not family(), "the end of all processes")
    kept = trials()
    assert 2 <= len(kept) < 6

    again = mmbench(*words, "-j", "2", DRILL_SECONDS="0")
    assert again.returncode == 0, again.stderr
    after = trials()
    assert sorted(after) == [f"{k:03d}" for k in range(6)]
    assert {name: after[name] for name in kept} == kept, "a finished trial was run again"

    other = mmbench(*words, "-j", "1", "--out", "other", DRILL_SECONDS="0")
    assert other.returncode == 0, other.stderr

    def told(content):
        record = json.loads(content)
        return record["key"], record["outcome"]["status"], record["validation"], record["trial"]

    assert {k: told(v) for k, v in trials("other").items()} == {k: told(v) for k, v in after.items()}


def test_a_method_without_any_good_trial_has_no_row_and_the_command_says_so(tuned):
    done, folder = tuned
    assert "no trial has a score: RuntimeError: the flux is not compensated" in " ".join(done.stderr.split())
    assert not list(folder.glob("results/**/raises*/**/seed*.json"))
    assert "Traceback" not in done.stderr + done.stdout


def test_the_dry_run_shows_the_search_space(mmbench, tmp_path):
    done = mmbench(
        "tune", *METHODS[2:6], "-m", "linear", "-m", "good[lr=1e-3]", "-m", "picky", "-d", "tiny", "--dry-run"
    )
    assert done.returncode == 0, done.stderr
    shown = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "fickle width 4 to 16" in shown
    assert "mood good|bad" in shown
    assert "good[lr=0.001] weight_decay 1e-06 to 0.01 log" in shown
    assert "linear nothing to tune: it is a deterministic floor" in shown
    assert "left out: picky on tiny: takes image, not vector" in shown
    assert "20 random trials each of 3 searches: 60 trials in all" in shown
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say what to tune"),
        (("-m", "late", "--trials", "0"), "0 is not in the range"),
        (("-m", "late[widht=3]",), "did you mean width"),
        (("-m", "late", "--sampler", "grid"), "'grid' is not one of 'random', 'tpe'"),
        (("-m", "late", "-m", "late[width=64]"), "tune them one at a time"),
        (("-m", "late", "--protocol", "slow"), "there is no protocol 'slow'"),
    ],
)  # fmt: skip
def test_wrong_usage_is_told(words, said):
    done = CliRunner().invoke(main, ["tune", "-d", "pid-unique", *words] if words else ["tune"])
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())


def test_without_optuna_the_command_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    done = CliRunner().invoke(main, ["tune", "-m", "late"])
    assert done.exit_code == 2
    assert "pip install 'mmbench[tune]'" in " ".join(done.output.split())
