"""Linear models and boosted trees on the concatenation."""

import numpy as np
import pytest
import torch
from mmbench_floors.boosting import Boosting
from mmbench_floors.linear import STRENGTHS, Linear
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from mmbench import Inputs, Modality, Split, Task

BOTH = pytest.mark.parametrize("build", [Linear, lambda task: Boosting(task, trees=20)], ids=["linear", "boosting"])
PAIR = (Modality("a", "vector", (1,)), Modality("b", "vector", (1,)))
MIXES = ["vector", "image", "tokens", "sequence vector", "frames tokens image", "vector " * 10]


def pair(a, b, target, present=None):
    present = torch.ones(len(a), 2).bool() if present is None else present
    return Split(Inputs({"a": a[:, None], "b": b[:, None]}, torch.ones_like(present)).keep(present), target)


@BOTH
@pytest.mark.parametrize("kind", ["classification", "multilabel", "regression", "anomaly"])
@pytest.mark.parametrize("modalities", MIXES)
def test_runs(make_task, make_split, build, kind, modalities):
    task = make_task(kind, modalities, outputs=2)
    train, validation = (make_split(task, 60, seed, missing=True) for seed in (0, 1))
    p = build(task).fit(train, validation, None).predict(validation.withheld())
    assert p.shape == (60, task.outputs)
    assert p.dtype == torch.float32
    assert p.isfinite().all()
    if kind == "classification":
        torch.testing.assert_close(p.sum(1), torch.ones(60))


@BOTH
def test_learns_a_separable_set(make_task, make_split, build):
    task = make_task("classification", "vector sequence")

    def split(seed):
        one = make_split(task, 300, seed, missing=True)
        shift = 4.0 * torch.nn.functional.one_hot(one.target, 3)
        one.inputs.values["vector0"][:, :3] += shift
        one.inputs.values["sequence1"][:, 0] += shift
        return Split(one.inputs.keep(one.inputs.present), one.target)

    test = split(2)
    p = build(task).fit(split(0), split(1), None).predict(test.withheld())
    assert (p.argmax(1) == test.target).float().mean() >= 0.95


@BOTH
def test_absent_values_do_not_matter(make_task, make_split, build):
    task = make_task("classification", "vector tokens image")
    train = make_split(task, 90, missing=True)
    spoilt = {
        name: torch.where(
            train.inputs.here(name).reshape(-1, *[1] * (value.dim() - 1)),
            value,
            torch.randint(1, 9, value.shape).to(value.dtype),
        )
        for name, value in train.inputs.values.items()
    }
    model = build(task).fit(train, train, None)
    again = Split(Inputs(spoilt, train.inputs.present, train.inputs.lengths))
    assert torch.equal(model.predict(train.withheld()), model.predict(again))


@BOTH
def test_class_that_train_lacks_keeps_its_prior(build):
    task = Task("classification", 3, PAIR)
    g = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 100, generator=g)
    train = pair(a, b, 2 * (a > 0).long())
    validation = pair(a, b, torch.arange(100) % 3)
    p = build(task).fit(train, validation, None).predict(train)
    assert p[:, 1].tolist() == pytest.approx([0.5 / 100.5] * 100)
    torch.testing.assert_close(p.sum(1), torch.ones(100))


@BOTH
def test_label_that_never_varies_has_its_prior(build):
    task = Task("multilabel", 2, PAIR)
    a, b = torch.randn(2, 100, generator=torch.Generator().manual_seed(0))
    train = pair(a, b, torch.stack([torch.zeros(100), (a > 0).float()], 1))
    p = build(task).fit(train, train, None).predict(train)
    assert p[:, 0].tolist() == pytest.approx([0.005] * 100)
    assert ((p[:, 1] > 0.5) == (a > 0)).float().mean() > 0.95


def xor(rows, seed):
    g = torch.Generator().manual_seed(seed)
    a, b = torch.randint(0, 2, (2, rows), generator=g) * 2.0 - 1
    return pair(a + 0.3 * torch.randn(rows, generator=g), b + 0.3 * torch.randn(rows, generator=g), (a * b > 0).long())


def test_xor_is_beyond_linear_models_but_not_beyond_trees():
    task, test = Task("classification", 2, PAIR), xor(2000, 2)
    linear, trees = (one.fit(xor(2000, 0), xor(500, 1), None).predict(test) for one in (Linear(task), Boosting(task)))
    assert roc_auc_score(test.target, linear[:, 1]) == pytest.approx(0.5, abs=0.05)
    assert (trees.argmax(1) == test.target).float().mean() >= 0.95


def test_linear_is_logistic_regression_of_the_best_strength():
    task, g = Task("classification", 2, PAIR), torch.Generator().manual_seed(0)
    x = torch.randn(400, 2, generator=g)
    y = (x.sum(1) + 2 * torch.randn(400, generator=g) > 0).long()
    train, validation = pair(*x[:200].T, y[:200]), pair(*x[200:].T, y[200:])
    model = Linear(task).fit(train, validation, None)
    losses = []
    for strength in STRENGTHS:
        p = LogisticRegression(C=strength, tol=1e-8).fit(x[:200], y[:200]).predict_proba(x[200:])
        losses.append(-np.log(p[np.arange(200), y[200:]]).mean())
    best = STRENGTHS[int(np.argmin(losses))]
    assert best == model.models[0].C
    expected = LogisticRegression(C=best, tol=1e-8).fit(x[:200], y[:200]).predict_proba(x[200:])
    np.testing.assert_allclose(model.predict(validation).numpy(), expected, atol=2e-3)


@pytest.mark.parametrize("outputs", [1, 2])
def test_linear_recovers_a_linear_law(outputs):
    task, g = Task("regression", outputs, PAIR), torch.Generator().manual_seed(0)
    x = torch.randn(500, 2, generator=g)
    law = torch.tensor([[1.0, -2.0], [0.5, 3.0]])[:, :outputs]
    train = pair(*x.T, x @ law + 1)
    out = Linear(task).fit(train, train, None).predict(train)
    torch.testing.assert_close(out, x @ law + 1, atol=0.01, rtol=0)


def test_linear_learns_what_absence_means():
    """The target says whether b is absent, and nothing else."""
    task, g = Task("classification", 2, PAIR), torch.Generator().manual_seed(0)
    gone = torch.rand(200, generator=g) < 0.5
    train = pair(*torch.randn(2, 200, generator=g), gone.long(), torch.stack([torch.ones(200).bool(), ~gone], 1))
    assert (Linear(task).fit(train, train, None).predict(train).argmax(1) == gone).all()


def test_boosting_stops_on_the_given_validation_split():
    task = Task("classification", 2, PAIR)
    noise = xor(300, 0)
    noise = Split(noise.inputs, torch.randint(0, 2, (300,), generator=torch.Generator().manual_seed(1)))
    stopped = Boosting(task).fit(noise, xor(300, 2), None)
    went_on = Boosting(task).fit(noise, noise, None)
    assert stopped.models[0].n_iter_ < 30
    assert went_on.models[0].n_iter_ == 100


@BOTH
def test_nothing_is_drawn_at_random(make_task, make_split, build):
    """So the cards may say that every seed gives the same."""
    task = make_task("classification", "vector image")
    split = make_split(task, 200, missing=True)
    outputs = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        np.random.seed(seed)
        outputs.append(build(task).fit(split, split, None).predict(split))
    assert torch.equal(*outputs)
