"""Task scores: values worked out by hand, scikit-learn's on random predictions, and what is undefined."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import pearsonr, spearmanr
from sklearn import metrics

from mmbench.core.modality import Modality
from mmbench.core.scores import TASK_SCORES
from mmbench.core.task import Task
from mmbench.measures import mmbench_measures
from mmbench.measures.evaluation import Evaluation
from mmbench.measures.task import equal_error_rate, task_scores

X = (Modality("x", "vector", (1,)),)


def scores(kind, prediction, target, outputs=None):
    prediction = np.asarray(prediction, dtype=np.float64)
    target = np.asarray(target, dtype=np.int64 if kind == "classification" else np.float64)
    return task_scores(Evaluation(Task(kind, outputs or prediction.shape[1], X), prediction, target))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# By hand.


def test_classes_by_hand():
    prediction = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    found = scores("classification", prediction, [0, 1, 1, 2])
    assert found["accuracy"] == 3 / 4
    assert found["balanced_accuracy"] == pytest.approx((1 + 1 / 2 + 1) / 3)
    # precision and recall: class 0: 1/2, 1; class 1: 1, 1/2; class 2: 1, 1
    assert found["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert found["weighted_f1"] == pytest.approx((2 / 3 + 2 * 2 / 3 + 1) / 4)
    assert found["nll"] == pytest.approx(-(math.log(0.7) + math.log(0.6) + math.log(0.3) + math.log(0.6)) / 4)
    # pairs in the right order: class 0: 3 of 3; class 1: .6 and .3 against .2, .2: 4 of 4; class 2: 3 of 3
    assert found["auroc"] == 1.0


def test_two_classes_are_ranked_by_the_second():
    found = scores("classification", [[0.9, 0.1], [0.6, 0.4], [0.65, 0.35], [0.2, 0.8]], [0, 0, 1, 1])
    assert found["auroc"] == 3 / 4
    assert found["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["accuracy"] == 3 / 4


def test_labels_by_hand():
    found = scores("multilabel", [[0.9, 0.2], [0.4, 0.7], [0.8, 0.6]], [[1, 0], [1, 1], [0, 1]])
    assert found["hamming"] == pytest.approx(2 / 6)
    assert found["exact_match"] == pytest.approx(1 / 3)
    # label 0: tp 1, fp 1, fn 1; label 1: tp 2
    assert found["macro_f1"] == pytest.approx((1 / 2 + 1) / 2)
    assert found["micro_f1"] == pytest.approx(6 / 8)
    logs = [math.log(p) for p in (0.9, 0.8, 0.4, 0.7, 1 - 0.8, 0.6)]
    assert found["nll"] == pytest.approx(-sum(logs) / 6)


def test_a_single_label_is_judged_as_labels_are():
    """F1 of that label, not the mean of it and of its absence."""
    found = scores("multilabel", [[0.9], [0.4], [0.8], [0.7]], [[1], [1], [0], [1]])
    assert found["macro_f1"] == found["micro_f1"] == pytest.approx(2 / 3)
    assert found["hamming"] == pytest.approx(1 / 2)
    assert found["exact_match"] == pytest.approx(1 / 2)
    assert found["auroc"] == pytest.approx(1 / 3)


def test_values_by_hand():
    found = scores("regression", [[1.0], [2.0], [6.0]], [[1.0], [3.0], [5.0]])
    assert found["rmse"] == pytest.approx(math.sqrt(2 / 3))
    assert found["mae"] == pytest.approx(2 / 3)
    assert found["r2"] == pytest.approx(1 - 2 / 8)
    assert found["pearson"] == pytest.approx(10 / math.sqrt(14 * 8))
    assert found["spearman"] == pytest.approx(1.0)


def test_yes_or_no_by_hand():
    found = scores("anomaly", [[0.9], [0.6], [0.4], [0.1]], [[1], [0], [1], [0]])
    assert found["accuracy"] == 1 / 2
    assert found["balanced_accuracy"] == 1 / 2
    assert found["auroc"] == 3 / 4
    assert found["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["nll"] == pytest.approx(-(math.log(0.9) + math.log(0.4) + math.log(0.4) + math.log(0.9)) / 4)


# The equal error rate.


def test_the_equal_error_rate_by_hand():
    # thresholds from above: (false accept, true accept) = 0,1/2  1/2,1/2  1/2,1  1,1: equal at 1/2, 1/2
    assert equal_error_rate(np.array([0.9, 0.6, 0.4, 0.1]), np.array([1, 0, 1, 0])) == pytest.approx(1 / 2)
    # 3 positives, 4 negatives; false accepts 1/4 stand against false rejects 1/3, then 0; linear between
    score = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3])
    positive = np.array([1, 1, 0, 1, 0, 0, 0])
    assert equal_error_rate(score, positive) == pytest.approx(1 / 4)


def test_the_equal_error_rate_of_a_tie_is_read_between_the_points():
    # all tied: the curve is the diagonal
    assert equal_error_rate(np.full(6, 0.5), np.array([1, 1, 0, 0, 0, 0])) == pytest.approx(1 / 2)
    # one positive above, then one positive tied with both negatives: from (0,1/2) to (1,1): 1 - (1+x)/2 = x at 1/3
    assert equal_error_rate(np.array([0.9, 0.5, 0.5, 0.5]), np.array([1, 1, 0, 0])) == pytest.approx(1 / 3)


def test_the_equal_error_rate_is_zero_if_perfect_one_if_reversed_and_a_half_at_random(rng):
    positive = np.array([0, 0, 0, 1, 1])
    score = np.array([0.1, 0.2, 0.3, 0.8, 0.9])
    assert equal_error_rate(score, positive) == 0
    assert equal_error_rate(-score, positive) == 1
    many = rng.integers(0, 2, 20_000)
    assert equal_error_rate(rng.random(20_000), many) == pytest.approx(0.5, abs=0.02)


def test_the_equal_error_rate_of_two_normals_is_known(rng):
    from statistics import NormalDist

    positive = np.repeat([0, 1], 50_000)
    score = rng.normal(size=100_000) + 2 * positive
    assert equal_error_rate(score, positive) == pytest.approx(NormalDist().cdf(-1), abs=0.005)


@given(
    arrays.arrays(np.float64, 12, elements=st.integers(0, 6).map(float)),
    arrays.arrays(np.int64, 12, elements=st.integers(0, 1)).filter(lambda y: 0 < y.sum() < 12),
)
def test_the_equal_error_rate_keeps_its_symmetries(score, positive):
    rate = equal_error_rate(score, positive)
    assert 0 <= rate <= 1
    assert equal_error_rate(score**3 + 1, positive) == pytest.approx(rate), "the order alone counts"
    assert equal_error_rate(-score, 1 - positive) == pytest.approx(rate), "swapping both sides changes nothing"
    assert equal_error_rate(-score, positive) == pytest.approx(1 - rate), "turning the scores turns the rate"


# Against scikit-learn and SciPy.


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_classes_as_scikit_learn_has_them(classes, seed):
    rng = np.random.default_rng(seed)
    p, y = rng.dirichlet(np.ones(classes), 80), rng.integers(0, classes, 80)
    found, best = scores("classification", p, y), p.argmax(1)
    wanted = {
        "accuracy": metrics.accuracy_score(y, best),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, best),
        "macro_f1": metrics.f1_score(y, best, average="macro"),
        "weighted_f1": metrics.f1_score(y, best, average="weighted"),
        "nll": metrics.log_loss(y, p),
        "auroc": metrics.roc_auc_score(y, p[:, 1] if classes == 2 else p, multi_class="ovr"),
        "average_precision": metrics.average_precision_score(y, p[:, 1] if classes == 2 else p),
    }
    assert found == pytest.approx(wanted)


@pytest.mark.parametrize("seed", range(3))
def test_labels_as_scikit_learn_has_them(seed):
    rng = np.random.default_rng(seed)
    p, y = rng.random((60, 3)), rng.integers(0, 2, (60, 3))
    yes = (p > 0.5).astype(int)
    wanted = {
        "macro_f1": metrics.f1_score(y, yes, average="macro"),
        "micro_f1": metrics.f1_score(y, yes, average="micro"),
        "hamming": metrics.hamming_loss(y, yes),
        "exact_match": metrics.accuracy_score(y, yes),
        "nll": np.mean([metrics.log_loss(y[:, k], p[:, k]) for k in range(3)]),
        "auroc": metrics.roc_auc_score(y, p),
        "average_precision": metrics.average_precision_score(y, p),
    }
    assert scores("multilabel", p, y) == pytest.approx(wanted)


@pytest.mark.parametrize("kind", ["anomaly", "verification"])
def test_yes_or_no_as_scikit_learn_has_it(kind, rng):
    p, y = rng.random((70, 1)), rng.integers(0, 2, (70, 1))
    wanted = {
        "accuracy": metrics.accuracy_score(y[:, 0], p[:, 0] > 0.5),
        "balanced_accuracy": metrics.balanced_accuracy_score(y[:, 0], p[:, 0] > 0.5),
        "nll": metrics.log_loss(y[:, 0], p[:, 0]),
        "auroc": metrics.roc_auc_score(y[:, 0], p[:, 0]),
        "average_precision": metrics.average_precision_score(y[:, 0], p[:, 0]),
        "eer": equal_error_rate(p[:, 0], y[:, 0]),
    }
    assert scores(kind, p, y) == pytest.approx(wanted)


def test_values_as_scikit_learn_and_scipy_have_them(rng):
    y = rng.normal(size=(50, 2)) * [1, 30]
    p = y + rng.normal(size=(50, 2)) * [0.5, 20]
    wanted = {
        "rmse": math.sqrt(metrics.mean_squared_error(y, p)),
        "mae": metrics.mean_absolute_error(y, p),
        "r2": metrics.r2_score(y, p),
        "pearson": np.mean([pearsonr(y[:, k], p[:, k]).statistic for k in range(2)]),
        "spearman": np.mean([spearmanr(y[:, k], p[:, k]).statistic for k in range(2)]),
    }
    assert scores("regression", p, y) == pytest.approx(wanted)


# What a perfect and what an ignorant prediction get.


def test_the_truth_is_perfect(rng):
    y = np.arange(12) % 3
    found = scores("classification", np.eye(3)[y], y)
    assert found.pop("nll") == pytest.approx(0, abs=1e-9)
    assert set(found.values()) == {1.0}
    labels = rng.integers(0, 2, (20, 3)).astype(float)
    found = scores("multilabel", labels, labels)
    assert found["hamming"] == 0
    assert found["macro_f1"] == found["exact_match"] == found["auroc"] == 1
    values = rng.normal(size=(20, 2))
    assert scores("regression", values, values) == pytest.approx(
        {"rmse": 0, "mae": 0, "r2": 1, "pearson": 1, "spearman": 1}
    )


def test_a_constant_gets_what_chance_gets():
    y = np.arange(30) % 3
    found = scores("classification", np.full((30, 3), 1 / 3), y)
    assert found["accuracy"] == found["balanced_accuracy"] == pytest.approx(1 / 3)
    assert found["auroc"] == TASK_SCORES["auroc"].chance
    assert found["nll"] == pytest.approx(math.log(3))
    values = np.arange(10.0)[:, None]
    found = scores("regression", np.full((10, 1), 4.5), values)
    assert found["r2"] == pytest.approx(TASK_SCORES["r2"].chance)
    assert found["rmse"] == pytest.approx(values.std())


def test_a_certain_mistake_has_a_finite_likelihood():
    assert math.isfinite(scores("classification", [[1, 0], [1, 0]], [0, 1])["nll"])
    assert math.isfinite(scores("multilabel", [[1.0], [0.0]], [[0], [1]])["nll"])
    assert math.isfinite(scores("anomaly", [[1.0], [0.0]], [[0], [1]])["nll"])


# What is not defined is left out.


def test_ranking_needs_every_class():
    p = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.5, 0.4, 0.1]])
    found = scores("classification", p, [0, 1, 0])
    assert {"auroc", "average_precision"}.isdisjoint(found)
    assert found["accuracy"] == 1
    assert found["balanced_accuracy"] == 1
    found = scores("multilabel", [[0.9, 0.2], [0.4, 0.7]], [[1, 1], [0, 1]])
    assert {"auroc", "average_precision"}.isdisjoint(found)
    assert found["hamming"] == 1 / 4


def test_detection_needs_both_sides():
    found = scores("verification", [[0.9], [0.2]], [[1], [1]])
    assert {"auroc", "average_precision", "eer"}.isdisjoint(found)
    assert found["accuracy"] == 1 / 2


def test_a_constant_has_no_correlation_and_a_constant_target_no_r2():
    y = np.arange(5.0)[:, None]
    assert set(scores("regression", np.ones((5, 1)), y)) == {"rmse", "mae", "r2"}
    for prediction in (y, np.ones((5, 1))):
        assert set(scores("regression", prediction, np.ones((5, 1)))) == {"rmse", "mae"}
    both = np.concatenate([y, np.ones((5, 1))], 1)
    assert set(scores("regression", both + 0.1, both)) == {"rmse", "mae"}


def test_one_row_has_errors_alone():
    assert set(scores("regression", [[1.0]], [[2.0]])) == {"rmse", "mae"}


@pytest.mark.parametrize("kind", ["classification", "multilabel", "regression", "verification", "anomaly"])
def test_every_score_is_declared_in_its_range_and_the_main_metric_is_among_them(kind, rng):
    k = {"classification": 3, "multilabel": 3, "regression": 2}.get(kind, 1)
    p = rng.dirichlet(np.ones(3), 40) if kind == "classification" else rng.random((40, k))
    y = rng.integers(0, 3, 40) if kind == "classification" else rng.integers(0, 2, (40, k))
    found = scores(kind, p, y)
    card = next(card for card in mmbench_measures() if card.name == "task")
    declared = {score.name: score for score in card.scores}
    assert kind in card.tasks
    assert Task(kind, k, X).metric in found
    for name, value in found.items():
        assert type(value) is float
        assert declared[name].low <= value <= declared[name].high
