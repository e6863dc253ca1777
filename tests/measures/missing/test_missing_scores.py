"""Scores with modalities missing: noise-free problems worked out by hand, and a ceiling known in closed form."""

import json
from itertools import product
from math import hypot
from statistics import NormalDist

import numpy as np
import pytest
import torch

from mmbench.core.cards import MethodCard
from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.measures.missing.card import CARD
from mmbench.measures.missing.measure import missing
from mmbench.nn.records import Inputs, Split
from mmbench.testing.standin import StandIn

phi = NormalDist().cdf


def subject(values, target, evidence, kind="classification", **others):
    """A method that answers from evidence({modality: (N,)}) for class 1, or with it in regression."""
    names = [f"m{i}" for i in range(values.shape[1])]
    task = Task(kind, 2 if kind == "classification" else 1, tuple(Modality(name, "vector", (1,)) for name in names))
    columns = {name: torch.from_numpy(values[:, [i]]) for i, name in enumerate(names)}
    split = Split(Inputs(columns, torch.ones(values.shape, dtype=torch.bool)), torch.from_numpy(target))

    def answer(inputs):
        found = evidence({name: value[:, 0].numpy() for name, value in inputs.values.items()})
        p = 1 / (1 + np.exp(-found))
        return np.stack([1 - p, p], 1) if kind == "classification" else found[:, None]

    return StandIn(task, {"train": split, "test": split}, answer, **others)


def bits(count, repeats=10):
    return np.array(list(product([-1.0, 1.0], repeat=count)) * repeats)


def redundant():
    both = bits(1, 20).repeat(2, 1)
    return subject(both, (both[:, 0] > 0).astype(int), lambda x: x["m0"] + x["m1"])


def exclusive_or():
    each = bits(2)
    return subject(each, (each.prod(1) > 0).astype(int), lambda x: x["m0"] * x["m1"])


def unique():
    each = bits(2)
    return subject(each, (each[:, 0] > 0).astype(int), lambda x: x["m0"])


@pytest.mark.parametrize(
    ("make", "worst", "mean", "retained"),
    [(redundant, 1.0, 1.0, 1.0), (exclusive_or, 0.5, 0.5, 0.0), (unique, 0.5, 0.75, 0.5)],
)
def test_noise_free_problems_by_hand(make, worst, mean, retained):
    found = missing(make())
    assert found.scores["missing_worst"] == found.scores["missing_worst_one"] == worst
    assert found.scores["missing_mean"] == pytest.approx(mean)
    assert found.scores["missing_retained"] == pytest.approx(retained)
    assert found.notes["full"] == 1.0
    assert found.notes["prior"] == 0.5


def test_missing_at_random_by_hand():
    curve = missing(exclusive_or()).tables["mcar"]
    assert curve["rate"] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert curve["value"] == pytest.approx([0.5 + 0.5 * (1 - rate) ** 2 for rate in curve["rate"]], rel=1e-4)
    curve = missing(redundant()).tables["mcar"]
    assert curve["value"] == pytest.approx([1 - 0.5 * rate**2 for rate in curve["rate"]], rel=1e-4)


def test_the_score_at_random_is_the_mean_over_the_rates():
    found = missing(redundant())
    assert found.scores["missing_mcar"] == pytest.approx(np.mean(found.tables["mcar"]["value"][1:]), abs=1e-4)


def test_the_best_method_on_two_noisy_views_of_one_bit_has_the_scores_of_the_formula():
    first, second, rng, rows = 1.2, 0.8, np.random.default_rng(0), 20_000
    bit = np.arange(rows) % 2 * 2 - 1
    views = bit[:, None] * [first, second] + rng.normal(size=(rows, 2))
    best = subject(views, (bit > 0).astype(int), lambda x: 2 * (first * x["m0"] + second * x["m1"]))
    found = missing(best, most=rows)
    both, one, other = phi(hypot(first, second)), phi(first), phi(second)
    curve = dict(zip(found.tables["mcar"]["rate"], found.tables["mcar"]["value"], strict=True))
    error = 3 * 0.5 / np.sqrt(rows)  # three standard errors of an accuracy, at most
    assert found.notes["full"] == pytest.approx(both, abs=error)
    assert found.tables["subsets"]["value"][:2] == pytest.approx([one, other], abs=error)
    assert curve[0.3] == pytest.approx(0.84978, abs=error)


def test_the_worst_subset_and_the_worst_with_one_missing_are_told_apart():
    each = bits(2)
    copied = each[:, [0, 0, 1]]
    found = missing(subject(copied, (each[:, 0] > 0).astype(int), lambda x: x["m0"] + x["m1"]))
    assert found.scores["missing_worst_one"] == 1.0  # the copy is left
    assert found.scores["missing_worst"] == 0.5  # m2 alone
    assert found.scores["missing_mean"] == pytest.approx(5.5 / 6)


def test_the_table_holds_every_subset_and_what_it_retains():
    table = missing(unique()).tables["subsets"]
    assert table["modalities"] == ["m0", "m1", "m0+m1"]
    assert table["value"] == [1.0, 0.5, 1.0]
    assert table["retained"] == [1.0, 0.0, 1.0]


def test_of_errors_the_worst_is_the_largest():
    each = bits(2)
    found = missing(subject(each, 3 * each[:, :1] + each[:, 1:], lambda x: 3 * x["m0"] + x["m1"], "regression"))
    assert found.scores["missing_worst"] == pytest.approx(3.0)
    assert found.scores["missing_mean"] == pytest.approx(2.0)
    assert found.notes["prior"] == pytest.approx(np.sqrt(10), rel=1e-4)
    assert found.scores["missing_retained"] == pytest.approx(1 - 2 / np.sqrt(10))  # the prior's error is √10


def test_a_method_at_chance_retains_no_share_of_a_gain():
    each = bits(2)
    found = missing(subject(each, (each[:, 0] > 0).astype(int), lambda x: x["m1"]))
    assert "missing_retained" not in found.scores
    assert set(found.tables["subsets"]["retained"]) == {None}
    assert found.scores["missing_worst"] == 0.5


def test_one_modality_is_a_reason():
    found = missing(subject(bits(1), np.arange(20) % 2, lambda x: x["m0"]))
    assert "one modality" in found.reason
    assert not found.scores


def test_a_method_that_needs_every_modality_is_a_reason():
    each = bits(2)
    card = MethodCard("whole", "…", "a:b", missing=False)
    found = missing(subject(each, (each[:, 0] > 0).astype(int), lambda x: x["m0"], method=card))
    assert found.reason == "whole needs every modality of every sample"
    assert not found.scores


@pytest.mark.parametrize("count", [6, 10])
def test_many_modalities_are_measured_within_the_budget(count):
    each = np.random.default_rng(0).choice([-1.0, 1.0], (400, count))
    found = missing(subject(each, (each.sum(1) > 0).astype(int), lambda x: sum(x.values())), passes=20_000)
    table = found.tables["subsets"]
    assert found.notes["subsets"] == 62
    assert found.notes["of"] == 2**count - 2
    assert len(table["modalities"]) == len(set(table["modalities"])) == 63
    assert found.notes["rows"] == 20_000 // 64
    one, nearly_all = ({name.count("+") for name in table["modalities"]} >= {size} for size in (0, count - 2))
    assert one
    assert nearly_all
    assert found.scores["missing_worst"] <= found.scores["missing_mean"] <= found.notes["full"]


def test_subsets_of_many_modalities_are_the_same_for_every_method():
    each = np.random.default_rng(0).choice([-1.0, 1.0], (50, 9))
    target = (each.sum(1) > 0).astype(int)
    tables = [missing(subject(each, target, lambda x, n=n: x[n]), subsets=30).tables["subsets"] for n in ("m0", "m5")]
    assert tables[0]["modalities"] == tables[1]["modalities"]
    assert tables[0]["value"] != tables[1]["value"]


def test_findings_are_plain_and_fit_the_card():
    found = missing(unique())
    assert set(found.scores) == {score.name for score in CARD.scores}
    json.dumps([dict(found.scores), found.tables, dict(found.notes)], allow_nan=False)
