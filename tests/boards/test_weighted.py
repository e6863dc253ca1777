"""Weighted scores are scikit-learn's, of the rows as they are and of rows repeated or weighted."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics

from mmbench.boards.weighted import weighted_scores
from mmbench.boards.weighted.sums import means, totals
from mmbench.core.modality import Modality
from mmbench.core.task import Task, TaskKind
from mmbench.measures.evaluation import Evaluation
from mmbench.measures.task import task_scores

Array = NDArray[Any]
CASES: list[tuple[TaskKind, int]] = [
    ("classification", 2),
    ("classification", 5),
    ("multilabel", 4),
    ("verification", 1),
    ("anomaly", 1),
    ("regression", 1),
    ("regression", 3),
]


def measured(kind: TaskKind, outputs: int, p: Array, y: Array) -> dict[str, float]:
    """What the harness's own measure says."""
    task = Task(kind, outputs, (Modality("x", "vector", (1,)),))
    return task_scores(Evaluation(task, p.astype(np.float64), y))


def example(kind: TaskKind, outputs: int, rng: np.random.Generator, rows: int, ties: bool) -> tuple[Array, Array]:
    """Predictions and targets with every class or label present; ``ties`` rounds the predictions."""
    if kind == "classification":
        p = rng.dirichlet(np.ones(outputs), rows)
        y: Array = np.r_[np.arange(outputs), rng.integers(0, outputs, rows - outputs)]
    elif kind == "regression":
        y = rng.normal(size=(rows, outputs)) * 7 + 100
        p = y + rng.normal(size=y.shape) * 5
    else:
        p = rng.random((rows, outputs))
        y = np.r_[np.eye(2, outputs), 1 - np.eye(2, outputs), rng.random((rows - 4, outputs)) < 0.3].astype(float)
    if ties:
        p = np.round(p, 1)
    if kind == "classification":
        p = (p + 1e-9) / (p + 1e-9).sum(1, keepdims=True)
    return p, y


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("kind", "outputs"), CASES)
def test_unit_weights_give_the_measures_score(kind: TaskKind, outputs: int, ties: bool) -> None:
    p, y = example(kind, outputs, np.random.default_rng(0), 60, ties)
    expected = measured(kind, outputs, p, y)
    found = weighted_scores(kind, p, y, np.ones((60, 1)), expected)
    assert set(found) == set(expected)  # each score that the measure gives has a weighted form
    assert {name: value[0] for name, value in found.items()} == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("kind", "outputs"), CASES)
def test_integer_weights_give_the_score_of_repeated_rows(kind: TaskKind, outputs: int, ties: bool) -> None:
    rng = np.random.default_rng(1)
    p, y = example(kind, outputs, rng, 50, ties)
    weights = rng.poisson(1.5, (50, 7)).astype(float)
    weights[:8] += 1  # every class stays
    names = measured(kind, outputs, p, y)
    found = weighted_scores(kind, p, y, weights, names)
    for column in range(7):
        rows = np.repeat(np.arange(50), weights[:, column].astype(int))
        expected = measured(kind, outputs, p[rows], y[rows])
        assert {name: value[column] for name, value in found.items()} == pytest.approx(expected, abs=1e-10)


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 6), st.booleans(), st.floats(0.0, 3.0).map(lambda w: round(w, 2))),
        min_size=2,
        max_size=30,
    )
)
@settings(max_examples=150, deadline=None)
def test_ranking_scores_agree_with_sample_weights(rows: list[tuple[int, bool, float]]) -> None:
    score, positive, weight = (np.array(column) for column in zip(*rows, strict=True))
    y = positive.astype(float)[:, None]
    found = weighted_scores("anomaly", score[:, None] / 6, y, weight[:, None], {"auroc", "average_precision", "eer"})
    if not (weight[positive].sum() > 0 and weight[~positive].sum() > 0):
        assert all(np.isnan(value).all() for value in found.values())
        return
    area = metrics.roc_auc_score(positive, score, sample_weight=weight)
    precision = metrics.average_precision_score(positive, score, sample_weight=weight)
    assert found["auroc"][0] == pytest.approx(area, abs=1e-9)
    assert found["average_precision"][0] == pytest.approx(precision, abs=1e-9)
    false_accept, true_accept, _ = metrics.roc_curve(positive, score, sample_weight=weight)
    crossing = np.interp(0.0, false_accept - 1 + true_accept, false_accept)
    assert found["eer"][0] == pytest.approx(crossing, abs=1e-9)


def test_class_scores_agree_with_sample_weights() -> None:
    rng = np.random.default_rng(2)
    p, y = example("classification", 4, rng, 80, False)
    weight, said = rng.random(80) * 3, p.argmax(1)
    names = {"accuracy", "balanced_accuracy", "macro_f1", "weighted_f1", "nll"}
    found = {n: v[0] for n, v in weighted_scores("classification", p, y, weight[:, None], names).items()}
    assert found == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(y, said, sample_weight=weight),
            "balanced_accuracy": metrics.balanced_accuracy_score(y, said, sample_weight=weight),
            "macro_f1": metrics.f1_score(y, said, average="macro", sample_weight=weight),
            "weighted_f1": metrics.f1_score(y, said, average="weighted", sample_weight=weight),
            "nll": metrics.log_loss(y, p, sample_weight=weight),
        }
    )


def test_r2_agrees_with_sample_weights_far_from_zero() -> None:
    rng = np.random.default_rng(3)
    y = rng.normal(size=(60, 2)) + 1e6
    p, weight = y + rng.normal(size=y.shape), rng.random(60)
    found = weighted_scores("regression", p, y, weight[:, None], {"r2"})
    assert found["r2"][0] == pytest.approx(metrics.r2_score(y, p, sample_weight=weight), abs=1e-9)


def test_a_certain_mistake_costs_what_scikit_learn_clips_it_to() -> None:
    p, y = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([1, 1])
    found = weighted_scores("classification", p, y, np.ones((2, 1)), {"nll"})
    assert found["nll"][0] == pytest.approx(metrics.log_loss(y, p, labels=[0, 1]))


def test_what_is_constant_has_no_correlation() -> None:
    y = np.arange(5.0)[:, None]
    found = weighted_scores("regression", np.ones((5, 1)), y, np.ones((5, 2)), {"pearson", "spearman", "r2"})
    assert np.isnan(found["pearson"]).all()
    assert np.isnan(found["spearman"]).all()
    assert np.allclose(found["r2"], metrics.r2_score(y, np.ones((5, 1))))


def test_unknown_scores_and_tasks_have_no_weighted_form() -> None:
    p, y = np.full((3, 2), 0.5), np.array([0, 1, 0])
    assert weighted_scores("classification", p, y, np.ones((3, 1)), {"ece"}) == {}
    assert weighted_scores("retrieval", p, y, np.ones((3, 1)), {"retrieval_map"}) == {}


def test_totals_leave_out_negative_cells() -> None:
    weights = np.array([[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]])
    assert totals(np.array([2, -1, 2]), 3, weights).tolist() == [[0, 0], [0, 0], [101, 202]]
    assert means(np.array([[1.0], [0.0], [1.0]]), weights)[0] == pytest.approx([101 / 111, 202 / 222])
