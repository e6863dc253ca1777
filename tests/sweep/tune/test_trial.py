"""A trial sees train and validation, and nothing of the test split."""

import pytest

from mmbench.core.errors import MmbenchError
from mmbench.data.cache import prepare
from mmbench.data.splits import load_splits
from mmbench.registry import installed
from mmbench.results import store
from mmbench.sweep import batch as batches
from mmbench.sweep.choices import choose_dataset, choose_method
from mmbench.sweep.plan import Settings, make_plan
from mmbench.sweep.protocol import find_protocol
from mmbench.sweep.record import checked_result
from mmbench.sweep.tune.search import make_search
from mmbench.sweep.tune.study import SEEDS, Budget
from mmbench.sweep.tune.trial import run_trial


class Sealed:
    """A test split that nobody may look at."""

    def __getattr__(self, name):
        raise PermissionError(f"somebody looks at {name} of the test split")


@pytest.fixture
def plan(tmp_path):
    dataset = choose_dataset(installed(), "pid-unique[n_train=200]")
    prepared = prepare(dataset.card, dataset.parameters)
    methods = [choose_method(installed(), text) for text in ("late[epochs=3]", "linear")]
    return make_plan(methods, [(dataset, prepared)], Settings(tmp_path, find_protocol("quick"), (0, 1)))


@pytest.fixture
def sealed(monkeypatch):
    """Every split that a worker loads has a sealed test split."""

    def load(task, folder):
        splits = load_splits(task, folder)
        object.__setattr__(splits, "test", Sealed())
        return splits

    monkeypatch.setattr(batches, "load_splits", load)


def test_a_trial_is_judged_without_the_test_split(plan, sealed, tmp_path):
    search = make_search(plan, Budget(trials=3))
    (study,) = search.studies
    batch = study.round(range(3))[1]
    (done,) = run_trial(batch, lambda cells: None)
    assert done.outcome.status == "ok", done.outcome
    assert done.prediction is None
    assert done.measured.scores == {}
    assert done.measured.chance is None
    assert 0.5 < done.measured.validation["accuracy"] <= 1
    assert len(done.measured.criteria) == 3
    result = checked_result(batch, done.cell, done.outcome, done.measured, "")
    assert result.identity.split == "validation"
    assert result.identity.seed == SEEDS + 1
    assert result.trial.number == 1
    path = store.write(done.cell.place, result)
    assert path.relative_to(tmp_path).parts[2] == "tuning"
    assert not list(store.records(tmp_path)), "a trial is no record of a board"
    assert not list(tmp_path.glob("**/test-*.npz"))
    with pytest.raises(PermissionError):  # the seal works: a cell of a sweep looks at the test split
        list(batches.run_batch(plan.batches[0], lambda cells: None))


def test_trials_of_all_studies_differ_in_their_keys_and_places(plan):
    (study,) = make_search(plan, Budget(trials=5)).studies
    cells = [batch.cells[0] for batch in study.round(range(5))]
    assert len({cell.identity.key for cell in cells}) == 5
    assert len({cell.place.folder for cell in cells}) == 5
    assert {cell.identity.seed for cell in cells}.isdisjoint(range(1000))
    assert study.spec.parameters == {"epochs": "3"}


def test_what_cannot_be_tuned_is_run_as_it_is(plan):
    search = make_search(plan, Budget())
    assert [(batch.method.card.name, reason) for batch, reason in search.untuned] == [
        ("linear", "it is a deterministic floor")
    ]


def test_impossible_searches_are_refused(plan):
    with pytest.raises(MmbenchError, match="at least one"):
        make_search(plan, Budget(trials=0))
    for batch in plan.batches:
        batch.prepared.sizes["validation"] = 0
    with pytest.raises(MmbenchError, match=r"pid-unique\[n_train=200\] has no validation split"):
        make_search(plan, Budget())
