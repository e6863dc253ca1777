"""Label efficiency: subsets that are nested, stratified and shared by all methods, and areas worked out by hand."""

import numpy as np
import pytest
import torch

from mmbench.core.errors import MmbenchError
from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.measures.label_efficiency.card import CARD
from mmbench.measures.label_efficiency.measure import label_efficiency
from mmbench.measures.label_efficiency.order import nested_order
from mmbench.nn.records import Inputs, Split
from mmbench.testing.standin import StandIn

X = (Modality("x", "vector", (1,)),)


def split(target, kind="classification"):
    dtype = torch.long if kind == "classification" else torch.float64
    target = torch.tensor(np.asarray(target), dtype=dtype)
    values = {"x": target.reshape(len(target), -1)[:, :1].double()}
    return Split(Inputs(values, torch.ones(len(target), 1, dtype=torch.bool)), target)


class Learner:
    """A stand-in that is right on a known share of the test rows, by the number of rows that it was fitted on.

    Its single modality is the class itself.
    """

    def __init__(self, train, right, seed=0, test=None):
        self.task, self.right, self.fitted = Task("classification", int(max(train)) + 1, X), right, []
        test = split(np.tile(np.arange(self.task.outputs), 50) if test is None else test)
        self.parts = {"train": split(train), "validation": test, "test": test}
        self.subject = StandIn(self.task, self.parts, self.answer(len(train)), fit=self.fit, seed=seed)

    def answer(self, rows):
        def answer(inputs):
            target = inputs.values["x"][:, 0].long().numpy()
            wrong = np.arange(len(target)) >= round(self.right(rows) * len(target))
            return np.eye(self.task.outputs)[(target + wrong) % self.task.outputs]

        return answer

    def fit(self, rows):
        self.fitted.append(rows)
        return StandIn(self.task, self.parts, self.answer(len(rows)))


def balanced(rows, classes=2):
    return np.arange(rows) % classes


# Subsets.


@pytest.mark.parametrize("seed", range(5))
def test_every_beginning_of_the_order_is_stratified(seed):
    classes = np.repeat([0, 1, 2, 3], [600, 300, 96, 4])
    order = nested_order(classes, np.random.default_rng(seed))
    assert sorted(order) == list(range(1000))
    for rows in (4, 10, 50, 100, 250, 999):
        counts = np.bincount(classes[order[:rows]], minlength=4)
        assert counts.min() >= 1
        assert np.abs(counts - rows * np.array([0.6, 0.3, 0.096, 0.004])).max() <= 3


def test_which_rows_are_taken_is_drawn():
    classes = balanced(1000)
    taken = [set(nested_order(classes, np.random.default_rng(seed))[:100].tolist()) for seed in range(2)]
    assert len(taken[0] & taken[1]) < 30


def test_subsets_are_nested_and_have_every_class_and_are_shared_by_methods():
    train = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [150, 47, 3]))
    one, other = Learner(train, lambda n: 0.9), Learner(train, lambda n: 0.5)
    for learner in (one, other):
        label_efficiency(learner.subject)
    assert [len(rows) for rows in one.fitted] == [2, 10, 20, 50]
    for small, large in zip(one.fitted, one.fitted[1:], strict=False):
        assert set(small) <= set(large)
    assert all(set(train[rows]) == {0, 1, 2} for rows in one.fitted[1:])
    assert all(np.array_equal(a, b) for a, b in zip(one.fitted, other.fitted, strict=True))


def test_another_seed_has_other_subsets():
    drawn = [Learner(balanced(200), lambda n: 0.9, seed=seed) for seed in (0, 1)]
    for learner in drawn:
        label_efficiency(learner.subject, shares=(0.1, 1.0))
    assert not np.array_equal(drawn[0].fitted[0], drawn[1].fitted[0])


def test_one_label_is_stratified_and_values_are_not():
    for kind, target in (("anomaly", [[0.0]] * 90 + [[1.0]] * 10), ("regression", np.arange(100.0)[:, None])):
        task, fitted = Task(kind, 1, X), []
        parts = {part: split(target, kind) for part in ("train", "validation", "test")}

        def answer(inputs):
            return inputs.values["x"].numpy() * 0.9

        def fit(rows, seen=fitted, task=task, parts=parts, answer=answer):
            seen.append(rows)
            return StandIn(task, parts, answer)

        found = label_efficiency(StandIn(task, parts, answer, fit=fit), shares=(0.1, 1.0))
        assert found.scores["label_area"] > 0.5
        assert len(fitted[0]) == 10
        if kind == "anomaly":
            assert sum(target[i][0] for i in fitted[0]) == 1


# Curve and scores.


def test_the_whole_train_split_is_the_subject_itself():
    learner = Learner(balanced(100), lambda n: 0.9)
    label_efficiency(learner.subject, shares=(0.1, 1.0))
    assert [len(rows) for rows in learner.fitted] == [10]


def test_the_curve_and_its_scores_by_hand():
    learner = Learner(balanced(1000), {10: 0.5, 100: 0.7, 1000: 0.9}.get)
    found = label_efficiency(learner.subject, shares=(1.0, 0.01, 0.1))
    assert found.tables["curve"] == {
        "share": [0.01, 0.1, 1.0],
        "rows": [10, 100, 1000],
        "value": [0.5, 0.7, 0.9],
        "skill": [0.0, 0.4, 0.8],  # the prior has 0.5, the best is 1
    }
    assert found.scores["label_area"] == pytest.approx((0.2 + 0.6) / 2)
    assert found.scores["label_10"] == pytest.approx(0.4)
    assert found.scores["label_10_kept"] == pytest.approx(0.5)
    assert found.notes == {"area_from": 0.01}


def test_shares_are_weighed_by_their_logarithm():
    learner = Learner(balanced(1000), {10: 0.5, 500: 1.0, 1000: 1.0}.get)
    area = label_efficiency(learner.subject, shares=(0.01, 0.5, 1.0)).scores["label_area"]
    assert area == pytest.approx((0.5 * np.log(50) + 1.0 * np.log(2)) / np.log(100))


def test_a_method_at_chance_has_no_skill_and_keeps_nothing():
    scores = label_efficiency(Learner(balanced(1000), lambda n: 0.5).subject).scores
    assert scores == {"label_area": 0, "label_10": 0}


def test_an_error_has_the_same_skill_as_a_score():
    target = np.array([[-1.0], [1.0]] * 50)
    task, parts = Task("regression", 1, X), {part: split(target, "regression") for part in ("train", "test")}

    def method(error):
        return StandIn(task, parts, lambda inputs: inputs.values["x"].numpy() * (1 - error), fit=lambda _: method(0.6))

    found = label_efficiency(method(0.2), shares=(0.1, 1.0))  # an RMSE of 1 is chance, 0 is best
    assert found.tables["curve"]["value"] == [0.6, 0.2]
    assert found.tables["curve"]["skill"] == pytest.approx([0.4, 0.8])
    assert found.scores["label_area"] == pytest.approx(0.6)


# What cannot be fitted.


def test_a_subset_of_one_row_is_left_out_with_a_note():
    learner = Learner(np.repeat([0, 1], [50, 50]), lambda n: 0.9)
    found = label_efficiency(learner.subject, shares=(0.01, 0.02, 1.0))
    assert found.tables["curve"]["value"] == [None, 0.9, 0.9]
    assert found.notes == {"left_out": "0.01: 1 row", "area_from": 0.02}


def test_two_rows_are_of_two_classes():
    learner = Learner(np.repeat([0, 1], [97, 3]), lambda n: 0.9)
    label_efficiency(learner.subject, shares=(0.02, 1.0))
    assert sorted(np.repeat([0, 1], [97, 3])[learner.fitted[0]]) == [0, 1]


def test_shares_of_equally_many_rows_are_fitted_once():
    learner = Learner(balanced(20), lambda n: 0.9)
    found = label_efficiency(learner.subject, shares=(0.1, 0.11, 0.99, 1.0))
    assert found.tables["curve"]["rows"] == [2, 2, 20, 20]
    assert [len(rows) for rows in learner.fitted] == [2]


def test_a_class_that_train_lacks_is_no_obstacle():
    learner = Learner(np.repeat([0, 2], [50, 50]), lambda n: 0.9)
    assert label_efficiency(learner.subject).scores["label_area"] > 0


def test_a_train_split_of_one_class_is_fitted():
    test = split(balanced(100))
    task, parts = Task("classification", 2, X), {"train": split(np.zeros(50)), "test": test}
    constant = StandIn(task, parts, lambda inputs: np.tile([1.0, 0.0], (len(inputs), 1)), fit=lambda _: constant)
    found = label_efficiency(constant, shares=(0.1, 1.0))
    assert found.tables["curve"]["value"] == [0.5, 0.5]
    assert found.scores["label_area"] == 0


@pytest.mark.parametrize("error", [ValueError("too few for five folds"), StopIteration("an empty fold")])
def test_a_fit_that_fails_costs_its_point_and_the_area(error):
    learner = Learner(balanced(1000), lambda n: 0.9)
    whole = learner.subject.fit

    def fit(rows):
        if len(rows) < 50:
            raise error
        return whole(rows)

    learner.subject.fit = fit
    found = label_efficiency(learner.subject, shares=(0.01, 0.1, 1.0))
    assert found.tables["curve"]["value"] == [None, 0.9, 0.9]
    assert str(error) in found.notes["left_out"]
    assert "label_area" not in found.scores
    assert found.scores["label_10_kept"] == pytest.approx(1)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("CUDA out of memory")])
def test_memory_that_runs_out_is_no_matter_of_a_point(error):
    learner = Learner(balanced(100), lambda n: 0.9)

    def fit(rows):
        raise error

    learner.subject.fit = fit
    with pytest.raises(type(error)):
        label_efficiency(learner.subject)


def test_without_a_point_there_is_a_reason():
    learner = Learner(balanced(4), lambda n: 0.9)
    found = label_efficiency(learner.subject, shares=(0.1, 0.2))
    assert not found.scores
    assert found.reason


@pytest.mark.parametrize("shares", [(), (1.0,), (0.0, 1.0), (0.1, 1.1), (0.5, 0.5)])
def test_shares_that_make_no_curve_are_refused(shares):
    with pytest.raises(MmbenchError, match="at least two, above 0 and at most 1"):
        label_efficiency(Learner(balanced(100), lambda n: 0.9).subject, shares=shares)


def test_it_runs_only_where_it_is_named():
    assert CARD.opt_in
