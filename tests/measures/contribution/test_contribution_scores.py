"""What modalities contribute: noise-free problems worked out by hand, under each way to be absent."""

import json
from itertools import product

import numpy as np
import pytest
import torch

from mmbench.core.cards import MethodCard
from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.measures.contribution.card import CARD
from mmbench.measures.contribution.measure import contribution
from mmbench.nn.records import Inputs, Split
from mmbench.testing.samples import make_split, make_task
from mmbench.testing.standin import StandIn


def subject(values, target, evidence, kind="classification", **others):
    """A method that answers from evidence({modality: (N,)}) for class 1, or with it in regression."""
    names = [f"m{i}" for i in range(values.shape[1])]
    task = Task(kind, 2 if kind == "classification" else 1, tuple(Modality(name, "vector", (1,)) for name in names))
    columns = {name: torch.from_numpy(values[:, [i]]) for i, name in enumerate(names)}
    split = Split(Inputs(columns, torch.ones(values.shape, dtype=torch.bool)), torch.from_numpy(target))

    def answer(inputs):
        found = evidence({name: value[:, 0].numpy() for name, value in inputs.values.items()})
        p = 1 / (1 + np.exp(-found))
        return {"classification": np.stack([1 - p, p], 1), "verification": p[:, None]}.get(kind, found[:, None])

    return StandIn(task, {"train": split, "test": split}, answer, **others)


def bits(count, repeats=10):
    return np.array(list(product([-1.0, 1.0], repeat=count)) * repeats)


def redundant(**others):
    both = bits(1, 20).repeat(2, 1)
    return subject(both, (both[:, 0] > 0).astype(int), lambda x: x["m0"] + x["m1"], **others)


def exclusive_or(repeats=10, **others):
    each = bits(2, repeats)
    return subject(each, (each.prod(1) > 0).astype(int), lambda x: x["m0"] * x["m1"], **others)


def unique(repeats=10, **others):
    each = bits(2, repeats)
    return subject(each, (each[:, 0] > 0).astype(int), lambda x: x["m0"], **others)


def column(found, name, table="shapley"):
    return list(found.tables[table][name])


@pytest.mark.parametrize("absent", ["masked", "mean"])
@pytest.mark.parametrize(
    ("make", "contributions", "interaction", "left_out", "balance"),
    [
        (redundant, [0.25, 0.25], -0.5, [0.0, 0.0], 1.0),
        (exclusive_or, [0.25, 0.25], 0.5, [0.5, 0.5], 1.0),
        (unique, [0.5, 0.0], 0.0, [0.5, 0.0], 0.0),
    ],
)
def test_noise_free_problems_by_hand(make, contributions, interaction, left_out, balance, absent):
    found = contribution(make(), absent=absent, permutations=2)
    assert found.notes["absent"] == absent
    assert column(found, "modality") == ["m0", "m1"]
    assert column(found, "value") == contributions
    assert column(found, "leave_one_out") == left_out
    assert column(found, "utilisation") == left_out  # v of all modalities is 1
    assert column(found, "error") == [None, None]
    assert found.tables["interaction"] == {"first": ["m0"], "second": ["m1"], "value": [interaction]}
    assert found.scores == {
        "contribution_gain": 0.5,
        "contribution_interaction": interaction,
        "contribution_balance": balance,
    }


@pytest.mark.parametrize(("make", "contributions"), [(exclusive_or, [0.25, 0.25]), (unique, [0.5, 0.0])])
def test_permuted_values_tell_as_little_as_masked_ones(make, contributions):
    found = contribution(make(repeats=250), absent="permuted", permutations=2)
    assert found.notes["absent"] == "permuted"
    assert found.notes["draws"] == 5
    assert column(found, "value") == pytest.approx(contributions, abs=0.03)


@pytest.mark.parametrize("absent", ["masked", "permuted", "mean"])
def test_a_modality_that_the_method_does_not_read_contributes_exactly_nothing(absent):
    each = np.random.default_rng(0).normal(size=(60, 3))
    target = (each.sum(1) > 0).astype(int)
    found = contribution(subject(each, target, lambda x: x["m0"] + x["m2"]), absent=absent, permutations=2)
    for name in ("leave_one_out", "utilisation", "perceptual_raw", "perceptual_accuracy", "perceptual_majority"):
        assert column(found, name)[1] == 0.0
    if absent != "masked":  # there, with m1 alone, the method answers and not the prior
        assert column(found, "value")[1] == pytest.approx(0, abs=1e-9)
    assert column(found, "value")[0] > 0.05


@pytest.mark.parametrize("absent", ["masked", "permuted", "mean"])
@pytest.mark.parametrize("kind", ["classification", "regression", "verification"])
def test_contributions_sum_to_the_gain(absent, kind):
    task = make_task(kind, "vector sequence")
    parts = {"train": make_split(task, 40, 0, missing=True), "test": make_split(task, 40, 1, missing=True)}

    def answer(inputs):
        total = sum(value.double().reshape(len(inputs), -1).mean(1) for value in inputs.values.values())
        p = torch.stack([total * (k + 1) for k in range(task.outputs)], 1).sigmoid()
        return (p / p.sum(1, keepdim=True) if kind == "classification" else p).numpy()

    found = contribution(StandIn(task, parts, answer), absent=absent, permutations=1, draws=2)
    assert sum(column(found, "value")) == pytest.approx(found.scores["contribution_gain"], abs=1e-4)
    assert found.notes["full"] - found.notes["empty"] == pytest.approx(found.scores["contribution_gain"], abs=1e-4)


def test_the_perceptual_score_has_three_normalisers():
    rows = np.arange(500)
    target = (rows % 5 == 0).astype(int)  # a fifth is of class 1
    said = (rows % 10 == 0).astype(int)  # m0 knows half of them
    values = np.stack([2.0 * said - 1, np.where(rows % 2 == 0, 1.0, -1.0)], 1)
    found = contribution(subject(values, target, lambda x: x["m0"]))
    assert found.notes["permutations"] == 20
    # right in .9; permuted, the tenth said to be 1 meets the fifth that is by chance
    raw = 0.9 - (0.1 * 0.2 + 0.9 * 0.8)
    assert column(found, "perceptual_raw") == pytest.approx([raw, 0.0], abs=0.02)
    assert column(found, "perceptual_accuracy") == pytest.approx([raw / 0.9, 0.0], abs=0.02)
    assert column(found, "perceptual_majority") == pytest.approx([raw / 0.2, 0.0], abs=0.1)


def test_the_perceptual_score_of_noise_free_problems():
    found = contribution(exclusive_or(repeats=150), permutations=10)
    assert column(found, "perceptual_raw") == pytest.approx([0.5, 0.5], abs=0.03)
    assert column(found, "perceptual_accuracy") == pytest.approx([0.5, 0.5], abs=0.03)
    assert column(found, "perceptual_majority") == pytest.approx([1.0, 1.0], abs=0.06)
    assert column(contribution(unique(repeats=150), permutations=10), "perceptual_raw")[1] == 0.0


def test_a_method_that_needs_every_modality_is_measured_with_permuted_ones():
    card = MethodCard("whole", "…", "a:b", missing=False)
    found = contribution(unique(repeats=50, method=card), permutations=2)
    assert found.notes["absent"] == "permuted"
    assert found.notes["why"] == "whole needs every modality of every sample"
    assert column(found, "value") == pytest.approx([0.5, 0.0], abs=0.1)


def test_a_method_that_needs_every_modality_never_meets_an_absent_one():
    each = bits(2)
    made = subject(
        each, (each[:, 0] > 0).astype(int), lambda x: x["m0"], method=MethodCard("whole", "…", "a:b", missing=False)
    )
    inner = made.answer

    def answer(inputs):
        assert inputs.present.all()
        return inner(inputs)

    made.answer = answer
    assert contribution(made, permutations=2).scores["contribution_gain"] > 0


def test_tokens_have_no_mean():
    task = make_task("classification", "vector tokens")
    split = make_split(task, 20)
    made = StandIn(task, {"train": split, "test": split}, lambda inputs: np.full((len(inputs), 3), 1 / 3))
    found = contribution(made, absent="mean")
    assert found.reason == "tokens (tokens1) have no mean; choose absent=masked or absent=permuted"
    assert not found.scores
    assert contribution(made, absent="permuted", permutations=1).scores


def test_errors_are_negated_so_that_help_counts_as_positive():
    each = bits(2)
    found = contribution(subject(each, 3 * each[:, :1] + each[:, 1:], lambda x: 3 * x["m0"] + x["m1"], "regression"))
    # errors: none 0; without m1 1, without m0 3, prior √10
    root = np.sqrt(10)
    assert found.notes["metric"] == "rmse, negated"
    assert column(found, "value") == pytest.approx([(root - 1 + 3) / 2, (root - 3 + 1) / 2], rel=1e-4)
    assert column(found, "leave_one_out") == pytest.approx([3.0, 1.0])
    assert found.scores["contribution_interaction"] == pytest.approx(0 + 1 + 3 - root)
    assert column(found, "utilisation") == [None, None]  # the error of all is zero, and nothing is divided by it
    assert column(found, "perceptual_accuracy") == [None, None]
    assert column(found, "perceptual_raw")[0] > column(found, "perceptual_raw")[1] > 0


def test_utilisation_is_relative_to_the_error_where_that_is_the_metric():
    each = bits(2)
    target = each[:, :1] + 2 * each.prod(1, keepdims=True)  # the product is not read: an error of 2
    found = contribution(subject(each, target, lambda x: x["m0"], "regression"), permutations=2)
    assert found.notes["full"] == -2.0
    assert column(found, "utilisation") == pytest.approx([(np.sqrt(5) - 2) / 2, 0.0], rel=1e-4)


def test_an_equal_error_rate_falls_by_what_is_contributed():
    each = np.random.default_rng(0).normal(size=(400, 2))
    target = (each[:, :1] > 0).astype(float)
    found = contribution(subject(each, target, lambda x: x["m0"], "verification"), permutations=2)
    assert found.notes["metric"] == "eer, negated"
    assert column(found, "value") == pytest.approx([0.5, 0.0], abs=1e-3)


def test_a_modality_that_does_harm_makes_the_balance_negative():
    each = bits(2, 50)
    noisy = subject(each, (each[:, 0] > 0).astype(int), lambda x: x["m0"] + 2 * x["m1"] * (x["m0"] > 0))
    found = contribution(noisy, permutations=2)  # with both, right in three of four cases; without m1 always
    assert column(found, "leave_one_out")[1] == -0.25
    assert found.scores["contribution_balance"] < 0


def test_a_method_at_chance_has_no_balance():
    each = bits(2)
    found = contribution(subject(each, (each[:, 0] > 0).astype(int), lambda x: x["m1"]), permutations=2)
    assert found.scores == {"contribution_gain": 0.0, "contribution_interaction": 0.0}
    assert column(found, "value") == [0.0, 0.0]


def test_one_modality_contributes_the_gain_and_interacts_with_nothing():
    each = bits(1)
    found = contribution(subject(each, (each[:, 0] > 0).astype(int), lambda x: x["m0"]), permutations=2)
    assert found.scores == {"contribution_gain": 0.5}
    assert column(found, "value") == column(found, "leave_one_out") == [0.5]
    assert set(found.tables) == {"shapley"}


@pytest.mark.parametrize("count", [3, 10])
def test_many_modalities_are_estimated_with_an_error_and_within_the_budget(count):
    each = np.random.default_rng(0).normal(size=(300, count))
    weights = [1.0] * (count - 1) + [5.0]
    target = each @ np.array(weights)[:, None]
    made = subject(each, target, lambda x: sum(w * x[f"m{i}"] for i, w in enumerate(weights)), "regression")
    found = contribution(made, permutations=1, passes=30_000)
    assert sum(column(found, "value")) == pytest.approx(found.scores["contribution_gain"], rel=1e-3)
    assert len(column(found, "value", "interaction")) == count * (count - 1) // 2
    assert np.argmax(column(found, "value")) == count - 1
    if count == 10:
        assert found.notes["orders"] == 32
        assert found.notes["rows"] < 300
        assert min(column(found, "error")) > 0
    else:
        assert "orders" not in found.notes
        assert column(found, "error") == [None] * count


def test_findings_are_plain_and_fit_the_card():
    found = contribution(unique(), permutations=2)
    assert set(found.scores) == {score.name for score in CARD.scores}
    json.dumps([dict(found.scores), found.tables, dict(found.notes)], allow_nan=False)
