"""Training options: what may be set, and how epochs are shared among stages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.core.errors import MmbenchError
from mmbench.core.parameters import bind
from mmbench.core.training import Stage, Training, training_parameters

stages = st.lists(st.integers(1, 200), min_size=1, max_size=5).map(
    lambda epochs: tuple(Stage(number, lr=1 / (i + 1), freeze=(f"part{i}",)) for i, number in enumerate(epochs))
)


def test_epochs_are_shared_in_proportion():
    training = Training(stages=(Stage(30), Stage(10, lr=0.1, freeze=("a",))))
    assert training.with_epochs(20).stages == (Stage(15), Stage(5, lr=0.1, freeze=("a",)))
    assert training.with_epochs(40) == training


@given(stages, st.integers(1, 500))
def test_shared_epochs_keep_every_stage_and_add_up_but_for_rounding(given_stages, epochs):
    shared = Training(stages=given_stages).with_epochs(epochs).stages
    assert [(stage.lr, stage.freeze) for stage in shared] == [(stage.lr, stage.freeze) for stage in given_stages]
    assert min(stage.epochs for stage in shared) >= 1
    assert epochs <= sum(stage.epochs for stage in shared) < epochs + len(shared)


def test_override_replaces_what_is_named_and_nothing_else():
    training = Training(lr=0.01, stages=(Stage(30), Stage(10)))
    changed = training.override(lr=0.1, batch=None, epochs=4)
    assert (changed.lr, changed.batch, [stage.epochs for stage in changed.stages]) == (0.1, None, [3, 1])
    assert changed.patience == training.patience
    assert training.lr == 0.01
    assert training.override() == training


def test_an_option_that_does_not_exist_is_refused():
    with pytest.raises(TypeError, match="patients"):
        Training().override(patients=3)


@pytest.mark.parametrize(
    "option",
    [
        {"lr": 0.0},
        {"lr": -1e-3},
        {"lr": float("nan")},
        {"weight_decay": -0.1},
        {"warmup": 1.0},
        {"warmup": -0.1},
        {"batch": 0},
        {"clip": 0.0},
        {"clip": -1.0},
        {"patience": -1},
        {"schedule": "cosinus"},
        {"select": "bset"},
        {"betas": (0.9, 1.0)},
        {"stages": ()},
        {"stages": (Stage(3), Stage(0))},
    ],
)
def test_what_cannot_be_meant_is_refused(option):
    """Some of it would train the wrong way without a word: a negative clip, a misspelt ``select``."""
    with pytest.raises(MmbenchError, match="training needs"):
        Training(**option)


def test_users_may_set_every_option_but_the_stages_and_the_epochs_in_all():
    parameters = training_parameters()
    assert "stages" not in parameters
    given = {"lr": "3e-4", "batch": "none", "select": "last", "balance": "true", "clip": "none", "epochs": "7",
             "betas": "0.5 0.9", "schedule": "cosine", "floor": "3"}  # fmt: skip
    changed = Training().override(**bind(parameters, given, "method 'x'"))
    assert (changed.lr, changed.batch, changed.select, changed.balance) == (3e-4, None, "last", True)
    assert (changed.clip, changed.betas, changed.schedule, changed.floor) == (None, (0.5, 0.9), "cosine", 3)
    assert [stage.epochs for stage in changed.stages] == [7]


def test_no_epoch_at_all_cannot_be_asked_for():
    with pytest.raises(MmbenchError, match="epochs=0 is not allowed"):
        bind(training_parameters(), {"epochs": "0"}, "method 'x'")
