"""Means over subsets: the formula's own sum, and what a choice of subsets gives in its place."""

from itertools import product
from math import comb, hypot
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.measures.coalitions import coalitions_of
from mmbench.measures.missing import subsets
from mmbench.measures.missing.subsets import chosen, mean_of_proper, means_by_size, mixture

phi = NormalDist().cdf


def game(count, seed=0):
    """A random value of every subset; single modalities matter unequally."""
    names, rng = [f"m{i}" for i in range(count)], np.random.default_rng(seed)
    every = coalitions_of(names, *range(count + 1))
    return tuple(names), {s: sum(int(name[1:]) for name in s) / count**2 + rng.random() for s in every}


def sum_over_subsets(names, values, rate):
    """Σ_S P(S) v(S), subset by subset."""
    total = 0.0
    for here in product([False, True], repeat=len(names)):
        p = np.prod([1 - rate if present else rate for present in here])
        total += p * values[frozenset(name for name, present in zip(names, here, strict=True) if present)]
    return total


@given(st.integers(1, 6), st.floats(0, 1), st.integers(0, 1000))
def test_the_mixture_is_the_sum_over_all_subsets(count, rate, seed):
    names, values = game(count, seed)
    assert mixture(means_by_size(values, count), rate) == pytest.approx(sum_over_subsets(names, values, rate))


def test_the_mixture_of_the_known_ceilings_is_the_known_one():
    values = {
        frozenset(): 0.5,
        frozenset("a"): phi(1.2),
        frozenset("b"): phi(0.8),
        frozenset("ab"): phi(hypot(1.2, 0.8)),
    }
    assert mixture(means_by_size(values, 2), 0.3) == pytest.approx(0.84978, abs=5e-6)


def test_the_mixture_goes_from_all_modalities_to_none():
    names, values = game(4)
    by_size = means_by_size(values, 4)
    assert mixture(by_size, 0.0) == pytest.approx(values[frozenset(names)])
    assert mixture(by_size, 1.0) == pytest.approx(values[frozenset()])


def test_the_mean_is_over_proper_subsets_with_a_modality():
    _, values = game(5)
    proper = [value for subset, value in values.items() if 0 < len(subset) < 5]
    assert mean_of_proper(means_by_size(values, 5)) == pytest.approx(np.mean(proper))


@pytest.mark.parametrize("count", [2, 3, 6])
def test_of_few_modalities_every_subset_is_chosen(count):
    names, values = game(count)
    some = chosen(names, 30, np.random.default_rng(0))
    assert sorted(map(sorted, some)) == sorted(sorted(s) for s in values if 0 < len(s) < count)


@pytest.mark.parametrize("count", [7, 8, 9, 10])
@pytest.mark.parametrize("most", [30, 62, 180])
def test_of_many_modalities_a_choice_holds_every_size_and_all_of_the_outermost(count, most):
    names, _ = game(count)
    some = chosen(names, most, np.random.default_rng(0))
    assert len(some) == len(set(some)) == min(most, 2**count - 2)
    sizes = [sum(len(s) == size for s in some) for size in range(1, count)]
    assert sizes[0] == sizes[-1] == count
    assert min(sizes) > 0
    assert all(found <= comb(count, size) for size, found in enumerate(sizes, 1))


def test_a_choice_as_large_as_there_are_subsets_is_exact():
    names, values = game(7)
    some = chosen(names, 126, np.random.default_rng(0))
    kept = {s: values[s] for s in (*some, frozenset(), frozenset(names))}
    assert mixture(means_by_size(kept, 7), 0.4) == pytest.approx(sum_over_subsets(names, values, 0.4))


@pytest.mark.parametrize("count", [6, 8])
def test_estimates_from_a_choice_are_right_on_average_and_close(count, monkeypatch):
    monkeypatch.setattr(subsets, "EXACT", 5)
    names, values = game(count)
    proper = [value for subset, value in values.items() if 0 < len(subset) < count]
    exact = np.array([np.mean(proper), sum_over_subsets(names, values, 0.3)])
    found = []
    for seed in range(300):
        some = chosen(names, 30, np.random.default_rng(seed))
        assert len(some) == 30 < len(proper)
        by_size = means_by_size({s: values[s] for s in (*some, frozenset(), frozenset(names))}, count)
        found.append([mean_of_proper(by_size), mixture(by_size, 0.3)])
    spread = np.std(found, axis=0)
    assert (np.abs(np.mean(found, 0) - exact) < 4 * spread / np.sqrt(300)).all()
    assert (spread > 0).all()
    assert (spread < np.std(proper) / np.sqrt(10)).all()
