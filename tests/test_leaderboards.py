"""The committed leaderboards are what their records say, and nobody is better than possible."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from mmbench.boards.board import load_boards
from mmbench.boards.markdown import write_markdown
from mmbench.boards.schema import Analysis, read_analysis
from mmbench.cli import main
from mmbench.results import measurements, store

LEADERBOARDS = Path(__file__).parents[1] / "leaderboards"
RESULTS = LEADERBOARDS / "results"

pytestmark = pytest.mark.skipif(not RESULTS.exists(), reason="no leaderboards beside an installed package")


def analyses() -> list[Analysis]:
    found = [read_analysis(path.parent) for path in sorted(RESULTS.glob("*/*/analysis.json"))]
    return [analysis for analysis in found if analysis is not None]


def margins(analysis: Analysis) -> dict[str, tuple[float, float]]:
    """{method: (how much better than the ceiling, standard error)} where both are known."""
    found = {}
    for row in analysis.rows:
        score = row.scores[analysis.metric]
        if analysis.ceiling is not None and score.low is not None and score.high is not None:
            better = (score.mean - analysis.ceiling) * (1 if analysis.higher_is_better else -1)
            found[row.method] = better, (score.high - score.low) / (2 * 1.96)
    return found


def test_every_record_is_sound_and_has_the_key_of_its_identity():
    paths = list(store.records(RESULTS))
    assert paths
    for path in paths:
        record = store.read(path)
        assert record.key == record.identity.key
        assert record.provenance.commit, f"{path} does not say which commit made it"
        assert record.provenance.dirty is False, f"{path} was made by code that is not committed"


def test_every_measurement_is_of_a_record_and_of_the_fit_that_the_record_is_of():
    for path in store.records(RESULTS):
        found = measurements.read(path)
        for spec, entry in found.measures.items() if found else ():
            where = f"{measurements.path_of(path)}, {spec}"
            assert found.key == store.read(path).key, where
            assert not entry.error, f"{where}: {entry.error}"
            assert entry.commit, f"{where} does not say which commit made it"
            assert entry.dirty is False, f"{where} was made by code that is not committed"
            record = store.read(path)
            if entry.score is not None:
                assert entry.score == pytest.approx(record.scores[record.task.metric], abs=1e-9), where


def test_the_pages_are_what_the_records_give(tmp_path):
    written = write_markdown(load_boards([RESULTS]), tmp_path)
    assert written
    for path in written:
        assert path.read_bytes() == (LEADERBOARDS / path.relative_to(tmp_path)).read_bytes(), path


def test_no_method_is_better_than_possible():
    """A leak of the test targets would show here first."""
    for analysis in analyses():
        for method, (better, error) in margins(analysis).items():
            assert better <= 4 * error, f"{method} on {analysis.dataset}: {better:.4f} above the ceiling"


def test_the_oracle_is_where_the_formula_says():
    judged = [margins(analysis)["oracle"] for analysis in analyses() if "oracle" in margins(analysis)]
    assert judged
    assert all(abs(better) <= 3 * error for better, error in judged)


def test_published_cells_run_again_score_the_same(tmp_path):
    """So that a source may say that it scores as the one before it (``mmbench.results.alike``).

    On the machine that made them they are equal to the digit; another processor may round otherwise.
    """
    methods, datasets = ("late", "hybrid", "linear"), ("avdigits", "pid-unique", "diabetes-views")
    words = [word for flag, names in (("-m", methods), ("-d", datasets)) for name in names for word in (flag, name)]
    done = CliRunner().invoke(
        main, ["run", *words, "--seeds", "1", "-j", "1", "--measures", "none", "--out", str(tmp_path)]
    )
    assert done.exit_code == 0, done.output
    again = [store.read(path) for path in store.records(tmp_path)]
    assert len(again) == len(methods) * len(datasets)
    for record in again:
        identity = record.identity
        folder = RESULTS / "standard" / identity.dataset / identity.method
        published = [store.read(path) for path in folder.glob("seed*.json")]
        before = [old for old in published if old.identity.seed == 0 and old.identity.data == identity.data]
        assert before, f"{identity.method} on {identity.dataset} is not published"
        newest = max(before, key=lambda old: old.provenance.created)
        assert record.scores[record.task.metric] == pytest.approx(newest.scores[record.task.metric], abs=0.01)
