"""What measures are given of a fitted method: the same rows and draws for all, and answers that agree."""

import numpy as np
import pytest
import torch

from mmbench.data.cache import prepare
from mmbench.registry import installed
from mmbench.sweep.batch import load_data
from mmbench.sweep.cell import run_cell
from mmbench.sweep.choices import choose_dataset, choose_method
from mmbench.sweep.plan import Settings, make_plan
from mmbench.sweep.protocol import find_protocol
from mmbench.sweep.subject import FittedSubject

METHODS = ("late[epochs=3]", "linear", "decision-mean[epochs=3]", "gradient-blending[epochs=2]")


def fitted(folder, method, dataset, seed=0):
    chosen = choose_dataset(installed(), dataset)
    prepared = prepare(chosen.card, chosen.parameters)
    settings = Settings(folder, find_protocol("quick"), (seed,))
    (batch,) = make_plan([choose_method(installed(), method)], [(chosen, prepared)], settings).batches
    splits = load_data(batch)
    scored = run_cell(batch, splits, seed)
    return FittedSubject(batch, splits, scored.fitting, {"test": scored.test})


@pytest.fixture(scope="module")
def subjects(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    return {method: fitted(folder, method, "pid-unique[n_train=200,missing=0.2]") for method in METHODS}


def test_all_methods_meet_the_same_rows_and_draws(subjects):
    rows = [subject.rows("test", 50) for subject in subjects.values()]
    draws = [subject.generator("noise", "first", 0.5, 1).random(4) for subject in subjects.values()]
    for other, drawn in zip(rows[1:], draws[1:], strict=True):
        assert torch.equal(rows[0].inputs.values["first"], other.inputs.values["first"])
        np.testing.assert_array_equal(draws[0], drawn)
    first = next(iter(subjects.values()))
    assert not np.array_equal(first.generator("noise", 1).random(4), first.generator("noise", 2).random(4))


def test_draws_differ_between_seeds(tmp_path):
    one, other = (fitted(tmp_path, "late[epochs=1]", "pid-unique[n_train=200]", seed) for seed in (0, 1))
    assert not np.array_equal(one.generator("noise").random(4), other.generator("noise").random(4))
    assert torch.equal(one.rows("test", 9).inputs.values["first"], other.rows("test", 9).inputs.values["first"])


@pytest.mark.parametrize("method", METHODS)
def test_a_predictor_of_variants_is_predict(subjects, method):
    subject = subjects[method]
    base = subject.rows("test", 64)
    predict = subject.predictor(base)
    noisy = base.inputs.values["second"] + 1.0
    gone = torch.zeros_like(base.inputs.present)
    gone[:, 0] = base.inputs.present[:, 0]
    for inputs in (
        base.inputs,
        type(base.inputs)({**base.inputs.values, "second": noisy}, base.inputs.present),
        base.inputs.keep(gone),  # of some rows nothing is left
    ):
        whole = type(base)(inputs, base.target)
        np.testing.assert_allclose(predict(inputs), subject.predict(whole), atol=1e-6)


def test_an_estimator_that_answers_by_one_model_has_that_model(subjects, tmp_path):
    assert subjects["gradient-blending[epochs=2]"].model is not None
    assert subjects["linear"].model is None
    # its model gives each modality's prediction, and another program joins them
    assert fitted(tmp_path, "decision-stacking[epochs=1]", "pid-unique[n_train=200]").model is None


@pytest.mark.parametrize("method", METHODS)
def test_complete_rows_have_every_modality(subjects, method):
    subject = subjects[method]
    assert subject.rows("test", 30, complete=True).inputs.present.all()
    assert not subject.rows("test").inputs.present.all()
    assert len(subject.predictions("test")) == subject.sizes["test"] == len(subject.targets("test"))


def test_what_a_subject_gives_cannot_be_written_to(subjects):
    subject = subjects["linear"]
    for array in (subject.predictions("test"), subject.targets("test")):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0


def test_a_refit_knows_the_targets_of_its_own_rows_alone(tmp_path):
    subject = fitted(tmp_path, "late[epochs=2]", "diabetes-views")
    few = subject.refit(np.array([3, 8, 21]))
    own = subject.splits.in_units(subject.splits.train.target)[[3, 8, 21]].double()
    assert torch.allclose(few.splits.target_scaling.mean, own.mean(0))
    assert few.sizes["train"] == 3
    np.testing.assert_allclose(few.targets("test"), subject.targets("test"), rtol=1e-5)
    answer = few.predictions("test")
    expected = np.sqrt(((answer - subject.targets("test")) ** 2).mean())
    assert few.score(answer, few.rows("test")) == pytest.approx(expected, rel=1e-5)
