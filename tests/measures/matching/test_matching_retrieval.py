"""Retrieval: by hand, by brute force over the orders of ties, by scikit-learn, and its chance levels."""

from itertools import permutations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from mmbench.measures.matching.retrieval import average_precision, chance, retrieval


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_ranks_by_hand():
    similarity = np.array([[0.9, 0.1, 0.2], [0.8, 0.5, 0.1], [0.7, 0.6, 0.5]])  # ranks 1, 2, 3
    found = retrieval(similarity)
    assert found["recall_1"] == pytest.approx(1 / 3)
    assert found["recall_5"] == 1
    assert found["mrr"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    assert found["median_rank"] == 2
    assert "map" not in found


def test_tie_counts_by_the_expected_hit():
    similarity = np.full((4, 4), 0.5)
    similarity[0] = [0.5, 0.9, 0.5, 0.1]  # one ahead, two tied
    found = retrieval(similarity)
    assert found["recall_1"] == pytest.approx((0 + 3 * 1 / 4) / 4)
    expected = (1 / 2 + 1 / 3) / 2, np.mean([1, 1 / 2, 1 / 3, 1 / 4])
    assert found["mrr"] == pytest.approx((expected[0] + 3 * expected[1]) / 4)


def test_constant_similarity_is_chance():
    classes = np.repeat([0, 1, 2], [20, 7, 3])
    found = retrieval(np.full((30, 30), 0.3), classes)
    assert found == pytest.approx(dict(chance(30, classes)))


def test_similarity_that_depends_on_the_item_alone_is_chance(rng):
    """As where the queries have collapsed: every item is first of exactly one row."""
    found = retrieval(np.tile(rng.normal(size=40), (40, 1)))
    expected = chance(40)
    assert {k: found[k] for k in ("recall_1", "recall_5", "recall_10", "mrr")} == pytest.approx(
        {k: expected[k] for k in ("recall_1", "recall_5", "recall_10", "mrr")}
    )


def test_random_similarity_is_chance_on_average(rng):
    classes = np.arange(50) % 5
    found = [retrieval(rng.normal(size=(50, 50)), classes) for _ in range(100)]
    for name, level in chance(50, classes).items():
        values = [each[name] for each in found]
        assert np.mean(values) == pytest.approx(level, abs=4 * np.std(values) / 10), name


def test_recall_is_the_same_after_any_monotone_change(rng):
    similarity = rng.normal(size=(30, 30))
    assert retrieval(np.exp(similarity), np.arange(30) % 3) == pytest.approx(retrieval(similarity, np.arange(30) % 3))


def test_fewer_items_than_the_depth_are_all_found():
    assert retrieval(np.zeros((4, 4)))["recall_5"] == 1
    assert chance(4)["recall_10"] == 1


def test_average_precision_is_scikit_learns_without_ties(rng):
    similarity, relevant = rng.normal(size=(150, 30)), rng.uniform(size=(150, 30)) < 0.3
    relevant[:, 0] = True
    expected = [average_precision_score(r, s) for r, s in zip(relevant, similarity, strict=True)]
    assert average_precision(similarity, relevant) == pytest.approx(np.array(expected))


def test_average_precision_is_the_mean_over_orders_of_ties(rng):
    for _ in range(10):
        similarity = rng.integers(0, 3, 6).astype(float)
        relevant = rng.permutation([True, True, False, True, False, False])
        found = []
        for order in permutations(range(6)):
            order = np.array(order)
            ranked = relevant[order[np.argsort(-similarity[order], kind="stable")]]
            found.append((np.cumsum(ranked) / np.arange(1, 7))[ranked].mean())
        assert average_precision(similarity[None], relevant[None]) == pytest.approx([np.mean(found)])


def test_chance_of_average_precision_of_fifty_items_with_seven_relevant(rng):
    classes = np.array([0] * 7 + list(range(1, 44)))
    level = (chance(50, classes)["map"] * 50 - 43 * chance(50, np.arange(50))["map"]) / 7
    assert level == pytest.approx(0.2014, abs=1e-4)
    relevant = np.tile(np.arange(50) < 7, (5000, 1))
    assert average_precision(rng.normal(size=(5000, 50)), relevant).mean() == pytest.approx(level, abs=0.005)


def test_map_is_one_where_classes_are_apart(rng):
    classes = np.arange(60) % 3
    similarity = (classes[:, None] == classes) + 0.1 * rng.uniform(size=(60, 60))
    assert retrieval(similarity, classes)["map"] == pytest.approx(1)


def test_class_of_one_item_and_one_class_alone():
    assert chance(10, np.arange(10))["map"] == pytest.approx(chance(10)["mrr"])
    assert chance(10, np.zeros(10, int))["map"] == pytest.approx(1)
    assert retrieval(np.eye(10), np.zeros(10, int))["map"] == pytest.approx(1)
