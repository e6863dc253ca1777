"""CKA, CCA and the ridge map: known values, invariances, and no reward for width."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from mmbench.measures.matching.maps import ridge_map
from mmbench.measures.matching.pairs import cosine_matching
from mmbench.measures.matching.similarity import cosines, deviation, unit
from mmbench.measures.matching.spaces import held_out_cca, linear_cka, unbiased_hsic


def twins(rho, n=2000, d=16, seed=0):
    rng = np.random.default_rng(seed)
    common, *own = rng.normal(size=(3, n, d))
    return tuple(np.sqrt(rho) * common + np.sqrt(1 - rho) * x for x in own)


def rotation(d, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# Debiased linear CKA.


def test_hsic_is_the_formula_with_kernels_made_out(rng):
    a, b = rng.normal(size=(9, 3)), rng.normal(size=(9, 5))
    n, k, m = 9, a @ a.T, b @ b.T
    np.fill_diagonal(k, 0)
    np.fill_diagonal(m, 0)
    whole = k.sum() * m.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * (k @ m).sum()
    assert unbiased_hsic(a, b) == pytest.approx((np.trace(k @ m) + whole) / (n * (n - 3)))


def test_cka_is_the_squared_correlation_of_gaussian_views():
    assert linear_cka(*twins(0.7, n=4000)) == pytest.approx(0.49, abs=0.015)


def test_cka_of_wide_independent_spaces_is_zero_where_the_biased_one_is_not():
    found = []
    for seed in range(10):
        a, b = (z - z.mean(0) for z in twins(0.0, n=100, d=512, seed=seed))
        biased = (np.square(a.T @ b).sum()) / np.sqrt(np.square(a.T @ a).sum() * np.square(b.T @ b).sum())
        assert biased == pytest.approx(0.836, abs=0.02)
        found.append(linear_cka(a, b))
    assert abs(np.mean(found)) < 0.02
    assert np.std(found) < 0.05


def test_cka_ignores_rotation_scale_and_shift_of_either_side():
    a, b = twins(0.6, n=300)
    assert linear_cka(3 * a @ rotation(16) + 5, b) == pytest.approx(linear_cka(a, b))
    assert linear_cka(b, a) == pytest.approx(linear_cka(a, b))
    assert linear_cka(a, a) == pytest.approx(1)


def test_cka_of_four_rows_is_in_its_range(rng):
    for _ in range(20):
        assert -1 <= linear_cka(rng.normal(size=(4, 3)), rng.normal(size=(4, 2))) <= 1


# Held-out CCA.


def test_cca_is_the_correlation_of_gaussian_views(rng):
    a, b = twins(0.7, n=4000)
    assert held_out_cca(a, b, rng.permutation(4000)) == pytest.approx(0.7, abs=0.02)


def test_cca_finds_the_correlations_of_three_directions(rng):
    n, rho = 20_000, np.array([0.9, 0.6, 0.3])
    common, one, other = rng.normal(size=(3, n, 3))
    a, b = np.sqrt(rho) * common + np.sqrt(1 - rho) * one, np.sqrt(rho) * common + np.sqrt(1 - rho) * other
    assert held_out_cca(a, b @ rotation(3), rng.permutation(n)) == pytest.approx(0.6, abs=0.01)


def test_cca_of_independent_spaces_is_zero_where_the_in_sample_one_is_not(rng):
    held, inside = [], []
    for seed in range(10):
        a, b = twins(0.0, n=400, d=20, seed=seed)
        held.append(held_out_cca(a, b, rng.permutation(400)))
        q = [np.linalg.qr(z - z.mean(0))[0] for z in (a, b)]
        inside.append(np.square(np.linalg.svd(q[0].T @ q[1], compute_uv=False)).sum())
    assert abs(np.mean(held)) < 4 * np.std(held) / np.sqrt(10)
    assert abs(np.mean(held)) < 0.05
    assert np.mean(inside) == pytest.approx(20 * 20 / 399, rel=0.05)  # d₁d₂/(N−1), by chance alone


def test_cca_ignores_an_affine_map_that_is_well_conditioned(rng):
    a, b = twins(0.7, n=1000, d=6)
    order = rng.permutation(1000)
    mixed = 100 * a @ (np.eye(6) + 0.3 * rng.normal(size=(6, 6))) + 7
    assert held_out_cca(mixed, b, order) == pytest.approx(held_out_cca(a, b, order), abs=0.01)
    assert held_out_cca(b, a, order) == pytest.approx(held_out_cca(a, b, order))
    assert held_out_cca(a, a, order) == pytest.approx(1)


def test_cca_counts_no_more_directions_than_a_space_has(rng):
    a, b = twins(0.9, n=2000, d=2)
    wide = [z @ rng.normal(size=(2, 30)) for z in (a, b)]
    assert held_out_cca(*wide, rng.permutation(2000)) == pytest.approx(0.9, abs=0.02)


def test_cca_of_constant_and_of_few_rows_is_defined(rng):
    a, b = twins(0.9, n=6, d=9)
    assert -1 <= held_out_cca(a, b, rng.permutation(6)) <= 1
    assert held_out_cca(np.ones((30, 3)), rng.normal(size=(30, 3)), rng.permutation(30)) == 0


# The ridge map.


def test_map_finds_an_affine_map(rng):
    x = rng.normal(size=(500, 6))
    weights, shift = rng.normal(size=(6, 4)), rng.normal(size=4)
    found = ridge_map(x, x @ weights + shift)
    other = rng.normal(size=(50, 6))
    assert found(other) == pytest.approx(other @ weights + shift, abs=1e-3)
    assert found.centred(other) == pytest.approx(found(other) - (x @ weights + shift).mean(0))


def test_map_of_many_noisy_rows_is_least_squares(rng):
    x = rng.normal(size=(5000, 5))
    y = x @ rng.normal(size=(5, 3)) + 0.5 * rng.normal(size=(5000, 3))
    assert ridge_map(x, y)(x) == pytest.approx(LinearRegression().fit(x, y).predict(x), abs=0.02)


def test_map_shrinks_what_does_not_generalise(rng):
    x, y = rng.normal(size=(60, 40)), rng.normal(size=(60, 40))
    found = ridge_map(x, y)
    assert found.strength >= 1
    assert np.square(found(x) - y).mean() < np.square(y).mean()
    assert np.square(found(rng.normal(size=(500, 40)))).mean() < 0.6


def test_map_is_free_of_units(rng):
    x, y = twins(0.7, n=200, d=5)
    plain, scaled = ridge_map(x, y), ridge_map(1000 * x + 3, 0.01 * y - 2)
    assert scaled.strength == pytest.approx(plain.strength)
    assert scaled(1000 * x + 3) == pytest.approx(0.01 * plain(x) - 2)


def test_map_makes_rotated_spaces_match():
    a, b = twins(0.8, n=3000)
    b = b @ rotation(16) + 3
    train, test = slice(2000), slice(2000, None)
    found = ridge_map(a[train], b[train])
    raw = cosine_matching(cosines(unit(a[test]), unit(b[test])))
    mapped = cosine_matching(cosines(unit(found.centred(a[test])), unit(deviation(b[test], found.target))))
    assert abs(raw) < 0.1
    assert mapped > 0.7


def test_map_between_widths_and_from_or_to_a_constant(rng):
    x, one = rng.normal(size=(30, 5)), np.full((30, 2), 0.1)
    assert ridge_map(x, rng.normal(size=(30, 1)))(x).shape == (30, 1)
    assert ridge_map(x, one)(x) == pytest.approx(one)
    assert not ridge_map(x, one).centred(x).any()
    assert ridge_map(one, x)(one) == pytest.approx(np.tile(x.mean(0), (30, 1)))
    assert np.isfinite(ridge_map(rng.normal(size=(4, 20)), x[:4])(rng.normal(size=(3, 20)))).all()
