"""Shapley values and interactions: games with known values, the axioms, and estimates against exact ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.measures.coalitions import coalitions_of
from mmbench.measures.contribution.shapley import draw_orders, interactions, prefixes, sampled_shapley, shapley

COUNTS, SEEDS = st.integers(1, 7), st.integers(0, 1000)


def players(count):
    return tuple(f"p{i}" for i in range(count))


def game(count, value):
    return {s: value(s) for s in coalitions_of(players(count), *range(count + 1))}


def random_game(count, seed):
    rng = np.random.default_rng(seed)
    return game(count, lambda s: rng.normal() + len(s))


# Known games.


def test_two_right_gloves_share_what_the_only_left_one_leaves():
    values = game(3, lambda s: float("p0" in s and len(s) > 1))
    assert shapley(values, players(3)) == pytest.approx({"p0": 2 / 3, "p1": 1 / 6, "p2": 1 / 6})


def test_three_noise_free_problems_with_chance_one_half():
    both, no = frozenset(players(2)), frozenset()
    one, other = frozenset({"p0"}), frozenset({"p1"})
    known = {  # v(1), v(2), φ, interaction; v(∅) = ½, v(12) = 1
        "redundant": (1.0, 1.0, (0.25, 0.25), -0.5),
        "exclusive or": (0.5, 0.5, (0.25, 0.25), 0.5),
        "unique": (1.0, 0.5, (0.5, 0.0), 0.0),
    }
    for first, second, contributions, interaction in known.values():
        values = {no: 0.5, one: first, other: second, both: 1.0}
        assert tuple(shapley(values, players(2)).values()) == pytest.approx(contributions)
        assert interactions(values, players(2)) == pytest.approx({("p0", "p1"): interaction})


@given(COUNTS, SEEDS)
def test_what_adds_up_is_contributed_by_whom_it_is_from_and_does_not_interact(count, seed):
    weights = dict(zip(players(count), np.random.default_rng(seed).normal(size=count), strict=True))
    values = game(count, lambda s: 3 + sum(weights[name] for name in s))
    assert shapley(values, players(count)) == pytest.approx(weights)
    assert all(value == pytest.approx(0, abs=1e-9) for value in interactions(values, players(count)).values())


def test_interactions_are_those_of_each_pair():
    values = game(3, lambda s: float({"p0", "p1"} <= s) - float({"p1", "p2"} <= s))
    assert interactions(values, players(3)) == {("p0", "p1"): 1.0, ("p0", "p2"): 0.0, ("p1", "p2"): -1.0}


# The axioms.


@given(COUNTS, SEEDS)
def test_contributions_sum_to_what_all_add_to_none(count, seed):
    values = random_game(count, seed)
    total = values[frozenset(players(count))] - values[frozenset()]
    assert sum(shapley(values, players(count)).values()) == pytest.approx(total)


@given(st.integers(2, 7), SEEDS)
def test_who_never_adds_anything_contributes_nothing(count, seed):
    others = random_game(count, seed)
    values = game(count, lambda s: others[s - {"p0"}])
    assert shapley(values, players(count))["p0"] == pytest.approx(0, abs=1e-9)


@given(st.integers(2, 7), SEEDS)
def test_those_who_can_stand_in_for_each_other_contribute_the_same(count, seed):
    drawn = random_game(count, seed)
    swapped = {"p0": "p1", "p1": "p0"}
    values = game(count, lambda s: drawn[s] + drawn[frozenset(swapped.get(name, name) for name in s)])
    found = shapley(values, players(count))
    assert found["p0"] == pytest.approx(found["p1"])


@given(COUNTS, SEEDS)
def test_contributions_to_a_sum_of_games_are_the_sums(count, seed):
    one, other = random_game(count, seed), random_game(count, seed + 1)
    each, names = [shapley(values, players(count)) for values in (one, other)], players(count)
    found = shapley({s: one[s] + other[s] for s in one}, names)
    assert found == pytest.approx({name: each[0][name] + each[1][name] for name in names})


# Estimates.


def test_orders_come_in_pairs_of_opposites():
    orders = draw_orders(players(9), 7, np.random.default_rng(0))
    assert len(orders) == 8
    assert all(sorted(order) == sorted(players(9)) for order in orders)
    assert [order[::-1] for order in orders[::2]] == orders[1::2]
    assert len(set(orders)) == 8


def test_an_order_passes_from_none_to_all():
    assert prefixes(("b", "a")) == [frozenset(), frozenset("b"), frozenset("ab")]


def test_estimates_of_what_adds_up_are_exact_and_have_no_error():
    values = game(9, lambda s: sum(int(name[1:]) for name in s))
    found, errors = sampled_shapley(values, draw_orders(players(9), 4, np.random.default_rng(0)))
    assert found == pytest.approx({f"p{i}": i for i in range(9)})
    assert errors == pytest.approx(dict.fromkeys(players(9), 0.0))


def test_estimates_keep_the_sum():
    values = random_game(9, 0)
    found, _ = sampled_shapley(values, draw_orders(players(9), 4, np.random.default_rng(0)))
    assert sum(found.values()) == pytest.approx(values[frozenset(players(9))] - values[frozenset()])


def test_estimates_lie_about_the_exact_values_as_their_errors_say():
    values, names = random_game(9, 1), players(9)
    exact = shapley(values, names)
    deviations = []
    for seed in range(100):
        found, errors = sampled_shapley(values, draw_orders(names, 64, np.random.default_rng(seed)))
        deviations += [(found[name] - exact[name]) / errors[name] for name in names]
    assert abs(np.mean(deviations)) < 4 * np.std(deviations) / np.sqrt(100)
    assert 0.8 < np.std(deviations) < 1.25  # one, if the errors are right


def test_four_times_the_orders_halve_the_error():
    values, names = random_game(9, 1), players(9)
    few, many = (
        np.mean(list(sampled_shapley(values, draw_orders(names, orders, np.random.default_rng(0)))[1].values()))
        for orders in (128, 512)
    )
    assert many == pytest.approx(few / 2, rel=0.2)
