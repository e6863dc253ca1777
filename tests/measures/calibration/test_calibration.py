"""Calibration: known values of the errors and their null, oracles within it, temperatures recovered."""

import math

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax
from sklearn import metrics
from sklearn.calibration import calibration_curve

from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.measures.calibration.card import CARD
from mmbench.measures.calibration.errors import Calibration
from mmbench.measures.calibration.measure import calibration
from mmbench.measures.calibration.temperature import HIGH, LOW
from mmbench.nn.records import Inputs, Split
from mmbench.testing.standin import StandIn


def subject(kind, test, validation=None):
    """One whose predictions are its only modality; parts are (predictions, targets)."""
    width = np.shape(test[0])[1]
    task = Task(kind, width, (Modality("said", "vector", (width,)),))

    def split(prediction, target):
        values = {"said": torch.tensor(np.asarray(prediction), dtype=torch.float64)}
        dtype = torch.long if kind == "classification" else torch.float64
        target = torch.tensor(np.asarray(target), dtype=dtype)
        return Split(Inputs(values, torch.ones(len(target), 1, dtype=torch.bool)), target)

    parts = {"train": split(*test), "validation": split(*(validation or test)), "test": split(*test)}
    return StandIn(task, parts, lambda inputs: inputs.values["said"].numpy())


def draw(generator, probability):
    """Classes drawn from (N,K) probabilities."""
    return (generator.random((len(probability), 1)) > probability.cumsum(1)).sum(1).clip(0, probability.shape[1] - 1)


def binary(confidence):
    return np.stack([confidence, 1 - confidence], 1)


def oracle(seed, rows, classes=5, sharpness=1.0):
    """Probabilities, and classes drawn from them: a Bayes oracle's test split."""
    generator = np.random.default_rng(seed)
    probability = generator.dirichlet(np.full(classes, 0.5), rows)
    target = draw(generator, probability)
    return softmax(np.log(probability + 1e-12) * sharpness, axis=1), target


def found(*args, simulations=100, **options):
    return calibration(subject(*args), simulations=simulations, **options)


# Known values.


def test_a_constant_confidence_of_8_with_accuracy_6_has_an_error_of_2():
    target = np.repeat([0, 1], [60, 40])
    scores = found("classification", (np.tile([0.8, 0.2], (100, 1)), target)).scores
    assert scores["ece"] == pytest.approx(0.2)
    assert scores["ece_mass"] == pytest.approx(0.2)
    assert scores["ece_classwise"] == pytest.approx(0.2)
    assert scores["brier"] == pytest.approx(0.6 * 2 * 0.2**2 + 0.4 * 2 * 0.8**2)
    assert scores["nll_unscaled"] == pytest.approx(-0.6 * math.log(0.8) - 0.4 * math.log(0.2))


@pytest.mark.parametrize(("rows", "error"), [(200, 0.061), (1000, 0.029), (10_000, 0.009)])
def test_the_null_of_uniform_confidences_is_the_known_bias(rows, error):
    generator = np.random.default_rng(0)
    probability = binary(generator.uniform(0.5, 1, rows))
    null = Calibration(probability, True, 15).null(generator, 200)["width"]
    assert null.mean() == pytest.approx(error, abs=0.002)


def test_errors_by_hand():
    confidence = np.array([0.55, 0.6, 0.95, 0.95])
    errors = Calibration(binary(confidence), True, 2).errors(np.array([0, 1, 0, 0]))
    assert errors["width"] == pytest.approx(abs(0.75 - confidence.mean()))  # all above a half: one bin
    assert errors["mass"] == pytest.approx((abs(0.5 - 0.575) + abs(1 - 0.95)) / 2)
    assert errors["classwise"] == pytest.approx(abs(0.75 - confidence.mean()))


def test_a_probability_on_the_bound_belongs_to_the_bin_below():
    table = Calibration(np.array([[0.0], [0.5], [1.0]]), False, 2).reliability(np.array([[0], [1], [1]]))
    assert table["count"] == [2, 1]
    assert table["accuracy"] == [0.5, 1.0]


def test_bins_of_equal_mass_hold_equally_many():
    probability = np.random.default_rng(0).random((90, 1)) ** 4
    bins = Calibration(probability, False, 15).by_mass
    assert np.bincount(bins.place).tolist() == [6] * 15


def test_ties_share_a_bin_so_that_the_order_of_rows_is_irrelevant():
    generator = np.random.default_rng(0)
    probability = np.round(generator.dirichlet(np.ones(3), 200), 1) + 1e-3
    probability /= probability.sum(1, keepdims=True)
    target, order = generator.integers(0, 3, 200), generator.permutation(200)
    one = Calibration(probability, True, 15).errors(target)
    other = Calibration(probability[order], True, 15).errors(target[order])
    assert one == pytest.approx(other)


def test_nll_and_brier_score_are_those_of_scikit_learn():
    probability, target = oracle(0, 300)
    scores = found("classification", (probability, target)).scores
    assert scores["nll_unscaled"] == pytest.approx(metrics.log_loss(target, probability))
    each = sum(metrics.brier_score_loss(target == k, probability[:, k]) for k in range(5))
    assert scores["brier"] == pytest.approx(each)


def test_one_label_has_scikit_learns_brier_score_and_calibration_curve():
    generator = np.random.default_rng(0)
    probability = generator.random((400, 1))
    target = (generator.random((400, 1)) < probability**2).astype(float)
    result = found("anomaly", (probability, target))
    assert result.scores["brier"] == pytest.approx(metrics.brier_score_loss(target[:, 0], probability[:, 0]))
    frequency, mean = calibration_curve(target[:, 0], probability[:, 0], n_bins=15)
    assert result.tables["reliability"]["accuracy"] == pytest.approx(frequency, rel=1e-4)
    assert result.tables["reliability"]["confidence"] == pytest.approx(mean, rel=1e-4)


# The null.


@pytest.mark.parametrize("kind", ["classification", "multilabel"])
def test_a_bayes_oracle_lies_within_its_null(kind):
    above, shift = 0, []
    for seed in range(40):
        if kind == "classification":
            probability, target = oracle(seed, 400)
        else:
            generator = np.random.default_rng(seed)
            probability = generator.random((150, 3))
            target = (generator.random((150, 3)) < probability).astype(float)
        scores = found(kind, (probability, target)).scores
        above += scores["ece"] > scores["ece_null_95"]
        shift.append(scores["ece"] - scores["ece_null"])
    assert above <= 7  # of 40 with probability 0.05: more than 7 in one of 700 cases
    assert abs(np.mean(shift)) < 4 * np.std(shift) / np.sqrt(len(shift))


def test_an_overconfident_method_lies_above_its_null():
    scores = found("classification", oracle(0, 1000, sharpness=3.0)).scores
    assert scores["ece"] > 2 * scores["ece_null_95"]


def test_the_null_of_one_repeated_prediction_is_that_of_binomial_counts():
    rows, probability = 5000, np.array([0.0, 0.2, 0.0, 0.7, 0.1, 0.0])
    null = Calibration(np.tile(probability, (rows, 1)), True, 15).null(np.random.default_rng(0), 400)
    each = np.sqrt(2 * probability * (1 - probability) / (np.pi * rows))  # E|k/n − p| of large binomials
    assert null["width"].mean() == pytest.approx(each[3], rel=0.1)
    assert null["mass"] == pytest.approx(null["width"])
    assert null["classwise"].mean() == pytest.approx(each.mean(), rel=0.1)


def test_the_null_of_certain_predictions_is_zero():
    for exclusive in (True, False):
        null = Calibration(np.eye(4), exclusive, 15).null(np.random.default_rng(0), 20)
        assert not any(errors.any() for errors in null.values())


def test_the_same_seed_gives_the_same_findings():
    assert found("classification", oracle(0, 100)) == found("classification", oracle(0, 100))


# Temperature.


@pytest.mark.parametrize("sharpness", [0.5, 2.0, 3.0])
def test_the_temperature_of_sharpened_classes_is_found_and_undoes_it(sharpness):
    test, validation = oracle(0, 4000, sharpness=sharpness), oracle(1, 4000, sharpness=sharpness)
    scores = found("classification", test, validation).scores
    right, target = oracle(0, 4000)
    assert scores["temperature"] == pytest.approx(sharpness, rel=0.08)
    assert scores["nll_scaled"] == pytest.approx(metrics.log_loss(target, right), rel=0.01)
    assert scores["nll_scaled"] < scores["nll_unscaled"]
    for name in ("ece", "ece_mass", "ece_classwise", "brier"):
        assert scores[f"{name}_scaled"] < scores[name]


@pytest.mark.parametrize(("kind", "labels"), [("multilabel", 4), ("verification", 1), ("anomaly", 1)])
def test_the_temperature_of_sharpened_labels_is_found(kind, labels):
    def part(seed):
        generator = np.random.default_rng(seed)
        logit = 2 * generator.normal(size=(4000, labels))
        return expit(3 * logit), (generator.random(logit.shape) < expit(logit)).astype(float)

    result = found(kind, part(0), part(1))
    assert result.scores["temperature"] == pytest.approx(3, rel=0.08)
    assert result.scores["ece"] > result.scores["ece_null_95"]
    rows = zip(*result.tables["errors"].values(), strict=True)
    after = {error: (value, upper) for error, scaling, value, _, upper in rows if scaling == "after"}
    assert set(after) == {"ece", "ece_mass", "ece_classwise"}
    assert after["ece"][0] == pytest.approx(result.scores["ece_scaled"], rel=1e-4)
    assert after["ece"][0] <= 1.5 * after["ece"][1]


def test_a_calibrated_method_has_a_temperature_near_one():
    scores = found("classification", oracle(0, 4000), oracle(1, 4000)).scores
    assert scores["temperature"] == pytest.approx(1, abs=0.05)


def test_a_method_without_information_keeps_its_temperature():
    prediction, target = np.full((60, 3), 1 / 3), np.arange(60) % 3
    scores = found("classification", (prediction, target)).scores
    assert scores["temperature"] == pytest.approx(1, abs=1e-3)
    assert scores["ece"] == pytest.approx(0)
    assert scores["ece_scaled"] == pytest.approx(0)


def test_without_a_mistake_or_without_a_success_the_temperature_is_not_determined():
    target = np.arange(40) % 2
    sure = binary(np.where(target == 0, 0.9, 0.1))
    right, wrong = found("classification", (sure, target)), found("classification", (sure, 1 - target))
    assert LOW < right.scores["temperature"] < 1 < wrong.scores["temperature"]
    assert wrong.scores["temperature"] == pytest.approx(HIGH, rel=1e-2)
    assert not right.notes["temperature_determined"]
    assert not wrong.notes["temperature_determined"]
    assert found("classification", oracle(0, 500)).notes["temperature_determined"]


def test_probabilities_of_exactly_0_and_1_give_finite_scores():
    sure = np.eye(3)[[0, 1, 2, 0]]
    for kind, target in (("classification", [0, 1, 2, 1]), ("multilabel", sure[[0, 1, 2, 1]])):
        result = found(kind, (sure, target))
        assert all(math.isfinite(value) for value in result.scores.values())
        assert result.scores["nll_unscaled"] > 1


# Shape of the findings.


def test_reliability_counts_all_rows_and_says_none_of_empty_bins():
    probability, target = oracle(0, 30)
    table = found("classification", (probability, target)).tables["reliability"]
    assert sum(table["count"]) == 30
    assert table["low"][0] == 0
    assert table["high"][-1] == 1
    best = probability.max(1)
    for low, high, count, confidence, accuracy in zip(*table.values(), strict=True):
        inside = (best > low) & (best <= high)
        assert count == inside.sum()
        assert (confidence is None) == (accuracy is None) == (count == 0)
        if count:
            assert low - 1e-4 <= confidence <= high + 1e-4
            assert accuracy == pytest.approx((probability.argmax(1) == target)[inside].mean(), rel=1e-4)


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_tiny_splits_and_absent_classes_give_scores_within_their_range(rows):
    probability, _ = oracle(0, rows)
    result = found("classification", (probability, np.zeros(rows, int)))
    declared = {score.name: score for score in CARD.scores}
    assert set(result.scores) == set(declared)
    for name, value in result.scores.items():
        assert declared[name].low <= value <= declared[name].high
    assert {len(column) for column in result.tables["reliability"].values()} == {15}


def test_an_empty_validation_split_leaves_the_scaled_scores_out():
    test = oracle(0, 50)
    result = found("classification", test, (test[0][:0], test[1][:0]))
    assert "temperature" not in result.scores
    assert not any(name.endswith("_scaled") for name in result.scores)
    assert result.scores["ece"] > 0
    assert result.notes["unscaled_because"]


def test_values_are_no_probabilities():
    assert found("regression", (np.ones((5, 1)), np.ones((5, 1)))).reason


def test_rows_without_any_modality_are_judged_by_the_prior_that_answers():
    probability, target = oracle(0, 40)
    whole = subject("classification", (probability, target))
    test = whole.parts["test"]
    present = test.inputs.present.clone()
    present[:10] = False
    cut = Split(test.inputs.keep(present), test.target)
    result = calibration(StandIn(whole.task, {**whole.parts, "test": cut}, whole.answer), simulations=20)
    prior = np.bincount(target, minlength=5) / 40
    expected = np.vstack([np.tile(prior, (10, 1)), probability[10:]])
    assert result.scores["nll_unscaled"] == pytest.approx(metrics.log_loss(target, expected))
