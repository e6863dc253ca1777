"""Predicted curves: the formulas' known values, and draws from the datasets' own generator and posterior."""

from itertools import product
from math import hypot, sqrt

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from mmbench.data.embedded import pid
from mmbench.data.embedded._draws import bases
from mmbench.measures.robustness.predicted import STRENGTHS, Views, _bases, aware, predicted, unaware
from mmbench.nn.records import Inputs

LEVELS = (0.25, 0.5, 0.75, 1.0)
DRAWS = 40_000
STRUCK = {"first": (1, 0), "second": (0, 1), "*": (1, 1)}


def test_known_values_of_noise_two_on_the_first_of_two_independent_views():
    mean, clean, noisy = np.array([1.2, 0.8]), np.eye(2), np.diag([1 + 2.0**2, 1])
    assert aware(mean, clean) == unaware(mean, clean, mean) == pytest.approx(norm.cdf(hypot(1.2, 0.8)))
    assert aware(mean, noisy) == pytest.approx(0.83231, abs=5e-6)
    assert unaware(mean, noisy, mean) == pytest.approx(0.77122, abs=5e-6)


def test_an_uneven_prior_moves_the_threshold():
    one = np.eye(1)
    assert aware(one[0], one, prior=0.9) == pytest.approx(0.92994, abs=5e-6)
    assert unaware(one[0], one, one[0], prior=0.9) == pytest.approx(0.92994, abs=5e-6)


@pytest.mark.parametrize("dataset", STRENGTHS)
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"delta": 0.7},
        {"prior": 0.8},
        {"label_noise": 0.1},
        {"missing": 0.3},
        {"prior": 0.3, "missing": 0.2, "dim": 5},
    ],
    ids=str,
)
def test_without_noise_both_are_the_datasets_ceiling(dataset, parameters):
    component = dataset.removeprefix("pid-")
    ceiling = pid.build(component=component, n_train=10, n_validation=10, n_test=10, **parameters).ceiling
    known = Views(dataset, **parameters).expected((0, 0))
    assert known == pytest.approx((ceiling, ceiling), abs=1e-12)


def test_rotations_are_those_of_the_dataset():
    for seed, dim in ((0, 32), (3, 7)):
        assert np.array_equal(_bases(seed, dim), bases(seed, dim))


def drawn(component, **parameters):
    """Raw test rows, their presence, labels, and the deviations by which the protocol standardises them."""
    source = pid.build(component=component, n_train=10, n_validation=10, n_test=DRAWS, **parameters)
    split = source.splits["test"].with_format("numpy")
    views = np.stack([split["first"][:], split["second"][:]], 1).astype(np.float64).reshape(DRAWS, 2, -1)
    columns = split.column_names
    present = split["present"][:] if "present" in columns else np.ones((DRAWS, 2), dtype=bool)
    deviation = np.stack([views[present[:, m], m].std(0) for m in (0, 1)])
    return views, present, split["target"][:], deviation


def corrupted(views, present, deviation, struck, level):
    noise = np.random.default_rng(5).standard_normal(views.shape) * deviation * np.array(struck)[:, None]
    return views + 2 * level * noise * present[..., None]


@pytest.mark.parametrize(
    ("component", "parameters"),
    [
        ("redundant", {}),
        ("complementary", {}),
        ("redundant", {"dim": 4, "prior": 0.7, "label_noise": 0.1, "missing": 0.3, "delta": 1.0, "seed": 2}),
        ("complementary", {"dim": 3, "prior": 0.4, "missing": 0.2, "seed": 1}),
    ],
    ids=str,
)
def test_the_datasets_own_posterior_on_noisy_draws_has_the_unaware_accuracy(component, parameters):
    views, present, target, deviation = drawn(component, **parameters)
    table = predicted(f"pid-{component}", parameters, ("first", "second"), (0.25, 1.0))
    for modality, level, expected in zip(table["modality"], table["level"], table["unaware"], strict=True):
        noisy = corrupted(views, present, deviation, STRUCK.get(modality, (0, 0)), level)
        inputs = Inputs(
            {name: torch.from_numpy(noisy[:, m]) for m, name in enumerate(("first", "second"))},
            torch.from_numpy(present),
        )
        right = pid.posterior(inputs, component=component, **parameters).argmax(1).numpy() == target
        assert abs(right.mean() - expected) < 4 * right.std() / sqrt(DRAWS)


@pytest.mark.parametrize("component", ["redundant", "complementary"])
@pytest.mark.parametrize("modality", STRUCK)
def test_a_linear_rule_fitted_on_noisy_draws_has_the_aware_accuracy(component, modality):
    views, present, target, deviation = drawn(component)
    noisy = corrupted(views, present, deviation, STRUCK[modality], 1.0).reshape(DRAWS, -1)
    half = DRAWS // 2
    rule = LinearDiscriminantAnalysis().fit(noisy[:half], target[:half])
    found = rule.score(noisy[half:], target[half:])
    table = predicted(f"pid-{component}", {}, ("first", "second"), (1.0,))
    expected = table["aware"][list(table["modality"]).index(modality)]
    # fitting 64 weights costs a little: about 64/20000 of the variance
    assert abs(found - expected) < 4 * sqrt(expected * (1 - expected) / half) + 1e-3


@pytest.mark.parametrize("dataset", STRENGTHS)
@pytest.mark.parametrize("dim", [3, 8, 32])
@pytest.mark.parametrize("noise", [(0.5, 0.5), (2, 2), (0.3, 2), (1, 0)], ids=str)
def test_knowing_the_other_bits_gains_less_than_a_ten_thousandth(dataset, dim, noise):
    """The best linear rule that does not know them has an exact accuracy, averaged over their 16 patterns."""
    views = Views(dataset, dim=dim)
    mean, covariance = views._seen([0, 1], noise)
    others = np.zeros((4, 2 * dim))
    for row, (m, k) in enumerate(product((0, 1), (1, 2))):
        others[row, m * dim + k] = views.strengths[m, k]
    spread = covariance + others.T @ others
    weights = np.linalg.pinv(spread, hermitian=True) @ mean
    patterns = np.array(list(product((-1, 1), repeat=4))) @ others
    explicit = norm.cdf((patterns + mean) @ weights / sqrt(weights @ covariance @ weights)).mean()
    assert 0 <= views.expected(noise)[0] - explicit + 1e-9 < 1e-4


def test_the_table_of_pid_redundant():
    table = predicted("pid-redundant", {"n_train": 2000}, ("first", "second"), LEVELS)
    assert list(table) == ["modality", "level", "aware", "unaware"]
    assert list(table["modality"]) == [""] + ["first"] * 4 + ["second"] * 4 + ["*"] * 4
    assert list(table["level"]) == [0.0, *LEVELS * 3]
    known, unknown = np.array(table["aware"]), np.array(table["unaware"])
    assert known[0] == unknown[0] == pytest.approx(norm.cdf(1.2), abs=1e-5)
    assert (known[:9] == known[0]).all()  # the other view shows the same number
    assert (np.diff(known[9:]) < 0).all()
    assert (known >= unknown - 1e-9).all()
    for part in (slice(1, 5), slice(5, 9), slice(9, 13)):
        assert (np.diff(unknown[part]) < 0).all()


def test_two_noisy_copies_of_one_number_by_hand():
    """With isotropic noise s on both copies: the mean of the two has variance 1 + s²/2."""
    views = Views("pid-redundant")
    views.noise = [np.eye(32), np.eye(32)]
    assert views.expected((1, 1)) == pytest.approx([norm.cdf(1.2 / sqrt(1.5))] * 2)
    assert views.expected((2, 0))[1] == pytest.approx(norm.cdf(1.2 / sqrt(2)))
