"""Scores of matching on encodings drawn so that the answer is known."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.special import hyp0f1, rel_entr
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from mmbench.measures.matching.geometry import alignment, modality_gap, uniformity, unpaired_alignment
from mmbench.measures.matching.pairs import (
    cosine_matching,
    deranged_matching,
    derangements,
    match_auc,
    matching_score,
)
from mmbench.measures.matching.similarity import (
    as_logits,
    cosines,
    deviation,
    js_divergence,
    js_similarity,
    kl_divergence,
    kl_similarity,
    posteriors,
    unit,
)
from mmbench.measures.matching.views import Draws, View, look, posterior_scores


def twins(rho, n=2000, d=256, seed=0):
    """Two views z = √ρ·c + √(1−ρ)·n of a common c."""
    rng = np.random.default_rng(seed)
    common, *own = rng.normal(size=(3, n, d))
    return tuple(np.sqrt(rho) * common + np.sqrt(1 - rho) * x for x in own)


def mm(first, second):
    return cosine_matching(cosines(unit(first), unit(second)))


def drawn(n, seed=0, most=20, shuffles=20):
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(n) for _ in range(shuffles)]
    return Draws(rng.permutation(n), derangements(n, rng, most), orders)


def seen(first, second, classes=None):
    return look(View(first, second, ("first", "second")), drawn(len(first)), classes).scores


def distributions(n=300, k=6, seed=0):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(k), n), rng.dirichlet(np.ones(k), n)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# Cosine MM.


def test_cosine_mm_is_the_correlation_of_gaussian_views_in_high_dimension():
    found = [mm(*twins(0.7, seed=seed)) for seed in range(2)]
    assert np.mean(found) == pytest.approx(0.6998, abs=0.003)


def test_cosine_mm_of_few_dimensions_is_a_little_below_the_correlation():
    found = [mm(*twins(0.7, d=16, seed=seed)) for seed in range(5)]
    assert np.mean(found) == pytest.approx(0.686, abs=0.004)


def test_cosine_mm_rises_with_the_correlation():
    found = [mm(*twins(rho, d=32)) for rho in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)]
    assert found == sorted(found)
    assert found[0] == pytest.approx(0, abs=0.02)
    assert found[-1] == pytest.approx(1)


def test_cosine_mm_ignores_positive_scale_and_a_common_rotation(rng):
    a, b = twins(0.5, n=200, d=8)
    rotation = np.linalg.qr(rng.normal(size=(8, 8)))[0]
    assert mm(3 * a @ rotation, 0.1 * b @ rotation) == pytest.approx(mm(a, b))
    assert mm(a * rng.uniform(0.1, 10, (200, 1)), b) == pytest.approx(mm(a, b))


def test_cosine_mm_changes_with_the_rotation_of_one_side(rng):
    a, b = twins(0.9, n=500, d=8)
    rotation = np.linalg.qr(rng.normal(size=(8, 8)))[0]
    assert mm(a @ rotation, b) < 0.5 * mm(a, b)


def test_shuffled_pairs_have_no_matching_within_the_error_of_the_null(rng):
    a, b = twins(0.7, n=500, d=16)
    cosine = cosines(unit(a), unit(b))
    null = deranged_matching(cosine, [rng.permutation(500) for _ in range(200)])
    assert abs(null.mean()) < 4 * null.std() / np.sqrt(len(null)) + 1 / len(cosine)
    shuffled = mm(a, b[rng.permutation(500)])
    assert abs(shuffled) < 4 * null.std()
    assert mm(a, b) > 20 * null.std()


def test_null_is_mm_of_deranged_rows(rng):
    a, b = twins(0.5, n=30, d=4)
    order = rng.permutation(30)
    partner = np.empty(30, dtype=int)
    partner[order] = np.roll(order, -1)
    assert (partner != np.arange(30)).all()
    found = deranged_matching(cosines(unit(a), unit(b)), [order])
    assert found == pytest.approx([mm(a, b[partner])])


def test_pairs_worse_than_chance_have_negative_mm():
    a, _ = twins(0.5, n=200, d=16)
    assert mm(a, -a) < -0.5


def test_mm_by_hand():
    assert matching_score(0.9, 0.6) == pytest.approx(0.75)
    assert matching_score(1.0, 0.3) == 1.0
    assert matching_score(0.3, 0.3) == 0.0
    assert matching_score(1.0, 1 - 1e-10) == 0.0


# Kullback–Leibler and Jensen–Shannon.


def test_jensen_shannon_by_hand():
    assert js_divergence(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])) == pytest.approx(0.311278, abs=1e-6)
    disjoint = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    assert js_similarity(*disjoint) == pytest.approx(0)
    assert jensenshannon([1, 0], [0.5, 0.5], base=2) == pytest.approx(0.557923, abs=1e-6)


def test_jensen_shannon_is_scipys_squared():
    p, q = distributions()
    assert js_divergence(p, q) == pytest.approx(jensenshannon(p, q, base=2, axis=1) ** 2)


def test_kl_is_scipys():
    p, q = distributions()
    assert kl_divergence(p, q) == pytest.approx(rel_entr(p, q).sum(1))


def test_kl_of_two_gaussians_a_deviation_apart_is_half_a_nat():
    grid = np.linspace(-7, 8, 4001)
    p, q = ((x / x.sum())[None] for x in (norm.pdf(grid), norm.pdf(grid, 1)))
    assert kl_divergence(p, q) == pytest.approx(0.5, abs=1e-4)


def test_kl_similarity_is_symmetric_and_one_way_kl_is_not():
    p, q = distributions()
    assert kl_similarity(p, q) == pytest.approx(kl_similarity(q, p))
    assert kl_similarity(p, q) == pytest.approx(np.exp(-(kl_divergence(p, q) + kl_divergence(q, p)) / 2))
    one = posterior_scores(p, q, drawn(len(p)))
    other = posterior_scores(q, p, drawn(len(p)))
    assert one["kl_forward"] == pytest.approx(other["kl_backward"])
    assert one["kl_forward"] != pytest.approx(one["kl_backward"], rel=1e-3)


def test_posterior_mm_is_one_for_identical_and_zero_for_constant_posteriors():
    p, _ = distributions()
    same = posterior_scores(p, p, drawn(len(p)))
    assert (same["kl"], same["js"]) == (pytest.approx(1), pytest.approx(1))
    constant = np.tile(p[:1], (len(p), 1))
    found = posterior_scores(constant, constant, drawn(len(p)))
    assert (found["kl"], found["js"]) == (0, 0)
    half = posterior_scores(p, constant, drawn(len(p)))
    assert (half["kl"], half["js"]) == (pytest.approx(0, abs=1e-12), pytest.approx(0, abs=1e-12))


def test_posterior_mm_of_independent_posteriors_is_near_zero():
    p, q = distributions(2000)
    found = posterior_scores(p, q, drawn(len(p)))
    assert abs(found["kl"]) < 0.03
    assert abs(found["js"]) < 0.03


def test_posterior_mm_does_not_change_when_the_modalities_do():
    p, q = distributions(101)
    one, other = posterior_scores(p, q, drawn(101, most=10)), posterior_scores(q, p, drawn(101, most=10))
    assert one["kl"] == pytest.approx(other["kl"], abs=1e-14)
    assert one["js"] == pytest.approx(other["js"], abs=1e-14)


def test_softmax_posteriors_ignore_a_shift_and_stand_for_certainty():
    z = np.random.default_rng(0).normal(size=(5, 4))
    assert posteriors(z, False) == pytest.approx(posteriors(z + 100, False))
    certain = posteriors(np.array([[0.0, 1000.0]]), False)
    assert certain[0, 0] == pytest.approx(1e-12, rel=1e-6)
    assert kl_divergence(certain, certain[:, ::-1]) == pytest.approx(np.log(1e12), rel=1e-6)


def test_logits_of_heads_give_back_their_probabilities():
    p, _ = distributions()
    assert posteriors(as_logits(p, labels=False), labels=False) == pytest.approx(p)
    yes = np.array([[0.2, 0.9], [0.0, 1.0]])
    found = posteriors(as_logits(yes, labels=True), labels=True)
    assert found == pytest.approx(np.concatenate([yes, 1 - yes], 1) / 2, abs=1e-11)


def test_divergence_of_labels_is_the_mean_of_their_own():
    rng = np.random.default_rng(0)
    p, q = rng.uniform(0.05, 0.95, (2, 7, 3))
    both = [posteriors(as_logits(x, labels=True), labels=True) for x in (p, q)]
    own = (rel_entr(p, q) + rel_entr(1 - p, 1 - q)).mean(1)
    assert kl_divergence(*both) == pytest.approx(own)


# Derangements.


@pytest.mark.parametrize("n", [2, 3, 4, 5, 20, 21, 22, 23, 100, 101])
def test_derangements_pair_nobody_with_itself_and_nothing_twice(n):
    found = derangements(n, np.random.default_rng(n), 20)
    assert 1 <= len(found) <= 20
    pairs = {(i, j) for partner in found for i, j in enumerate(partner)}
    assert len(pairs) == len(found) * n
    assert all(sorted(partner) == list(range(n)) for partner in found)
    assert all(i != j and (j, i) in pairs for i, j in pairs)


def test_derangements_of_few_rows_are_all_pairs():
    found = derangements(7, np.random.default_rng(0), 20)
    assert {(i, int(j)) for partner in found for i, j in enumerate(partner)} == {
        (i, j) for i in range(7) for j in range(7) if i != j
    }


# Match-AUC.


def test_match_auc_is_that_of_paired_against_unpaired(rng):
    cosine = np.round(rng.uniform(-1, 1, (40, 40)), 1) + 0.2 * np.eye(40)
    expected = roc_auc_score(np.eye(40).ravel(), np.round(cosine, 9).ravel())
    assert match_auc(cosine) == pytest.approx(expected)


def test_match_auc_is_one_for_identical_distinct_and_half_for_constant_rows():
    a, b = (unit(x) for x in twins(0.5, n=100, d=8))
    assert match_auc(cosines(a, a)) == 1
    assert match_auc(np.full((50, 50), 0.3)) == 0.5
    assert match_auc(cosines(a, np.tile(b[:1], (100, 1)))) == pytest.approx(0.5)


def test_match_auc_is_chance_for_independent_rows():
    assert match_auc(cosines(*(unit(x) for x in twins(0.0, d=16)))) == pytest.approx(0.5, abs=0.02)


def test_match_auc_depends_on_the_order_of_similarities_alone(rng):
    cosine = rng.uniform(-1, 1, (30, 30))
    assert match_auc(np.exp(3 * cosine)) == match_auc(cosine)


# Alignment, uniformity, gap.


def test_alignment_of_gaussian_views_is_twice_the_lack_of_correlation():
    a, b = (unit(x) for x in twins(0.7))
    assert alignment(a, b) == pytest.approx(0.600, abs=0.01)
    assert alignment(a, b) == pytest.approx(2 - 2 * (a * b).sum(1).mean())
    assert alignment(a, a) == 0
    assert alignment(a, -a) == pytest.approx(4)


def test_unpaired_alignment_is_the_mean_over_all_other_pairs(rng):
    a, b = (unit(x) for x in rng.normal(size=(2, 12, 3)))
    every = [((a[i] - b[j]) ** 2).sum() for i in range(12) for j in range(12) if i != j]
    assert unpaired_alignment(a, b) == pytest.approx(np.mean(every))


@pytest.mark.parametrize(("d", "expected"), [(2, -1.575), (16, -3.513), (128, -3.938)])
def test_uniformity_of_a_sphere(rng, d, expected):
    assert -4 + np.log(hyp0f1(d / 2, 4)) == pytest.approx(expected, abs=1e-3)
    assert uniformity(unit(rng.normal(size=(2000, d)))) == pytest.approx(expected, abs=0.01)


def test_uniformity_is_the_log_mean_kernel_and_zero_at_a_point(rng):
    z = unit(rng.normal(size=(15, 4)))
    every = [np.exp(-2 * ((z[i] - z[j]) ** 2).sum()) for i in range(15) for j in range(15) if i != j]
    assert uniformity(z) == pytest.approx(np.log(np.mean(every)))
    assert uniformity(np.tile(z[:1], (15, 1))) == pytest.approx(0)
    assert uniformity(np.zeros((5, 3))) == 0


def test_gap_is_the_distance_of_the_centres(rng):
    a = unit(rng.normal(size=(50, 6)))
    assert modality_gap(a, a) == 0
    one, other = np.tile([[1.0, 0.0]], (9, 1)), np.tile([[-1.0, 0.0]], (9, 1))
    assert modality_gap(one, other) == 2


# All scores of a view.


def test_identical_encodings_match_perfectly():
    z, _ = twins(0.5, n=300, d=16)
    found = seen(z, z, np.arange(300) % 3)
    assert {name: found[name] for name in ("mm", "auc", "recall_1", "mrr", "median_rank", "cka", "cca")} == (
        pytest.approx(dict.fromkeys(("mm", "auc", "recall_1", "mrr", "median_rank", "cka", "cca"), 1))
    )
    assert (found["alignment"], found["gap"]) == (0, 0)


@pytest.mark.parametrize("noise", [0.0, 1e-8])
def test_collapsed_encodings_are_at_chance(noise):
    """Also where single precision's rounding makes constant encodings differ a little."""
    rng = np.random.default_rng(0)
    n = 40
    a, b = (x + noise * rng.normal(size=(n, 5)) for x in rng.normal(size=(2, 1, 5)))
    found = seen(a, b)
    assert found["mm"] == pytest.approx(0, abs=1e-9)
    assert found["auc"] == 0.5
    for k in (1, 5, 10):
        assert found[f"recall_{k}"] == pytest.approx(k / n)
    assert found["mrr"] == pytest.approx(np.mean(1 / np.arange(1, n + 1)))
    assert found["median_rank"] == (n + 1) / 2
    assert (found["cka"], found["cca"]) == (0, 0)
    assert found["uniformity"] == pytest.approx(0, abs=1e-9)


def test_one_collapsed_side_is_at_chance():
    a, b = twins(0.9, n=40, d=5)
    found = seen(a, np.tile(b[:1], (40, 1)))
    assert found["mm"] == pytest.approx(0, abs=1e-9)
    assert found["auc"] == pytest.approx(0.5)
    assert found["recall_5"] == pytest.approx(5 / 40)
    assert (found["cka"], found["cca"]) == (0, 0)


def test_scores_do_not_change_when_the_modalities_do():
    a, b = twins(0.6, n=200, d=12)
    classes = np.arange(200) % 4
    one, other = seen(a, b, classes), seen(b, a, classes)
    assert one == pytest.approx(other, abs=1e-12)
    assert len(one) == 13


def test_view_of_different_widths_has_what_needs_no_common_space():
    a, b = twins(0.6, n=50, d=12)
    assert set(seen(a, b[:, :5])) == {"cka", "cca", "uniformity"}


def test_zero_row_has_cosine_zero_and_a_rounding_is_no_deviation():
    assert cosines(unit(np.zeros((1, 3))), unit(np.ones((1, 3)))) == 0
    mean = np.array([1.0, 2.0])
    assert not deviation(mean + 1e-8 * np.ones((4, 2)), mean).any()
    assert deviation(mean + np.ones((4, 2)), mean) == pytest.approx(np.ones((4, 2)))
