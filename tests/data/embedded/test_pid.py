"""The PID family: ceilings, and the effect of each parameter."""

from itertools import product

import numpy as np
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from mmbench.core.errors import MmbenchError
from mmbench.data.embedded._draws import bases
from mmbench.nn.records import Inputs

SIZES = {"n_train": 5000, "n_validation": 10, "n_test": 5000}


@pytest.mark.parametrize(
    ("name", "parameters", "ceiling"),
    [
        ("redundant", {}, 0.88493),
        ("complementary", {}, 0.92538),
        ("unique", {}, 0.93319),
        ("synergy", {}, 0.83350),
        ("mixed", {}, 0.60558),
        ("bits", {}, 1 - (0.92538 + 0.93319 + 0.84134 + 0.83350) / 4),
        ("complementary", {"missing": 0.3}, 0.84978),
        ("unique", {"delta": 1.0, "prior": 0.9}, 0.92994),
        ("unique", {"delta": 1.0, "prior": 0.1}, 0.92994),
        ("redundant", {"delta": 1.0, "prior": 0.9}, 0.92994),
        ("synergy", {"missing": 0.3}, 0.49 * 0.83350 + 0.51 / 2),
        ("synergy", {"label_noise": 0.1}, 0.9 * 0.83350 + 0.1 * 0.16650),
        ("mixed", {"label_noise": 0.3}, 0.7 * 0.60558 + 0.3 * (1 - 0.60558) / 15),
        ("bits", {"label_noise": 0.2}, 0.2 + 0.6 * 0.11665),
    ],
)
def test_ceilings_by_formula(name, parameters, ceiling, build):
    assert build(f"pid-{name}", **parameters, **SIZES).ceiling == pytest.approx(ceiling, abs=1.1e-5)


def test_an_even_prior_and_nearly_even_ones_have_nearly_the_same_synergy_ceiling(build):
    """The formula and the draws agree where both apply, and symmetry holds."""
    low, even, high = (build("pid-synergy", prior=prior, **SIZES).ceiling for prior in (0.499, 0.5, 0.501))
    assert low == pytest.approx(even, abs=1e-3)
    assert high == pytest.approx(even, abs=1e-3)


TARGET = {
    "complementary": lambda r, u1, u2, s1, s2: r,
    "unique": lambda r, u1, u2, s1, s2: u1,
    "synergy": lambda r, u1, u2, s1, s2: s1 * s2,
}
STRENGTHS = ((1.2, 1.5, 1.5), (0.8, 1.0, 1.2))


def brute_force(inputs: Inputs, name: str, strengths: tuple, prior: float) -> torch.Tensor:
    """P(target=+1|x) by adding up densities over all 32 combinations of bits."""
    basis = torch.from_numpy(bases(0, inputs.values["first"].shape[1]))
    weight = {1: 0.0, -1: 0.0}
    for bits in product((-1, 1), repeat=5):
        r, u1, u2, s1, s2 = bits
        exponent = torch.zeros(len(inputs), dtype=torch.float64)
        for m, (x, shown) in enumerate(zip(inputs.values.values(), ((r, u1, s1), (r, u2, s2)), strict=True)):
            mean = basis[m][:, :3] @ (torch.tensor(strengths[m]) * torch.tensor(shown)).double()
            exponent -= (x - mean).square().sum(1) / 2 * inputs.present[:, m]
        target = TARGET[name](*bits)
        weight[target] = weight[target] + exponent.exp() * (prior if target == 1 else 1 - prior)
    return weight[1] / (weight[1] + weight[-1])


@pytest.mark.parametrize(
    ("name", "parameters", "strengths"),
    [
        ("complementary", {}, STRENGTHS),
        ("unique", {"prior": 0.7}, STRENGTHS),
        ("synergy", {"prior": 0.3}, STRENGTHS),
        ("synergy", {"delta": 0.9}, ((1.2, 1.5, 0.9), (0.8, 1.0, 0.9))),
    ],
)
def test_the_posterior_equals_a_sum_over_all_bits(name, parameters, strengths, build, read, posterior):
    parameters = {**parameters, "dim": 4, "missing": 0.3}
    inputs, _ = read(build(f"pid-{name}", **parameters, n_train=10, n_validation=10, n_test=300))
    expected = brute_force(inputs, name, strengths, parameters.get("prior", 0.5))
    p = posterior(f"pid-{name}", inputs, **parameters)[:, 1]
    torch.testing.assert_close(p, expected, atol=1e-6, rtol=1e-5)


def test_the_sixteen_classes_are_the_four_bits(build, read, posterior):
    """Same view, same evidence: the labels' probabilities are the margins of the classes'."""
    inputs, _ = read(build("pid-mixed", **SIZES))
    joint, bits = posterior("pid-mixed", inputs), posterior("pid-bits", inputs)
    margins = joint.reshape(-1, 2, 2, 2, 2)
    for position in range(4):
        others = [1 + axis for axis in range(4) if axis != position]
        torch.testing.assert_close(margins.sum(others)[:, 1], bits[:, position])


def test_redundant_views_show_the_same_number(build, read, posterior):
    inputs, _ = read(build("pid-redundant", **SIZES))
    both, first, second = (posterior("pid-redundant", inputs.without(*gone)) for gone in ((), ("second",), ("first",)))
    torch.testing.assert_close(first, both, atol=1e-3, rtol=0)
    torch.testing.assert_close(second, both, atol=1e-3, rtol=0)


def test_missing_views_are_zero_and_the_rest_is_as_it_was(build, read):
    whole, target = read(build("pid-synergy", **SIZES))
    gappy, same_target = read(build("pid-synergy", missing=0.3, **SIZES))
    assert target.equal(same_target)
    assert gappy.present.double().mean(0).tolist() == pytest.approx([0.7, 0.7], abs=0.02)
    assert gappy.present.any(1).double().mean().item() == pytest.approx(0.91, abs=0.02)
    assert all(gappy.values[m].equal(whole.keep(gappy.present).values[m]) for m in whole.names)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_views_are_missing_in_every_split(split, build, read):
    source = build("pid-unique", missing=0.5, n_train=500, n_validation=500, n_test=500)
    assert read(source, split)[0].present.double().mean().item() == pytest.approx(0.5, abs=0.06)


def test_without_any_view_the_posterior_is_the_prior(build, read, posterior):
    inputs, _ = read(build("pid-synergy", **SIZES))
    p = posterior("pid-synergy", inputs.without("first", "second"), prior=0.8, label_noise=0.1)
    torch.testing.assert_close(p, torch.tensor([[0.26, 0.74]], dtype=torch.float64).expand_as(p))


@pytest.mark.parametrize(("name", "classes"), [("unique", 2), ("mixed", 16), ("bits", 2)])
def test_label_noise_changes_that_share_of_the_labels_alone(name, classes, build, read):
    clean, target = read(build(f"pid-{name}", **SIZES))
    same, noisy = read(build(f"pid-{name}", label_noise=0.25, **SIZES))
    assert all(same.values[m].equal(clean.values[m]) for m in clean.names)
    assert (target != noisy).double().mean().item() == pytest.approx(0.25, abs=0.02)
    assert len(noisy.unique()) == classes


@pytest.mark.parametrize("name", ["redundant", "complementary", "unique", "synergy"])
def test_the_prior_is_the_share_of_the_second_class(name, build, read):
    _, target = read(build(f"pid-{name}", prior=0.9, **SIZES))
    assert target.double().mean().item() == pytest.approx(0.9, abs=0.015)


def test_no_learner_gets_the_synergy_from_one_view_and_no_line_from_both(build, read):
    source = build("pid-synergy", dim=3, delta=2.5, **SIZES)
    (train, labels), (test, truth) = read(source, "train"), read(source, "test")
    for view in train.names:
        model = HistGradientBoostingClassifier(max_iter=30).fit(train.values[view], labels)
        assert roc_auc_score(truth, model.predict_proba(test.values[view])[:, 1]) == pytest.approx(0.5, abs=0.03)
    line = LogisticRegression().fit(flat(train), labels)
    assert roc_auc_score(truth, line.decision_function(flat(test))) == pytest.approx(0.5, abs=0.03)


def flat(inputs: Inputs) -> np.ndarray:
    return torch.cat(list(inputs.values.values()), 1).numpy()


@pytest.mark.parametrize("name", ["pid-mixed", "pid-bits"])
@pytest.mark.parametrize("given", [{"delta": 1.0}, {"prior": 0.6}])
def test_what_is_for_one_target_is_refused_with_several(name, given, build):
    (parameter,) = given
    with pytest.raises(MmbenchError, match=f"leave {parameter} out, or take one of .*pid-synergy"):
        build(name, **given)
