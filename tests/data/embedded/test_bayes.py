"""Every known posterior is exact, and every ceiling is what it reaches."""

from math import sqrt

import pytest
import torch

LARGE = {"n_train": 10, "n_validation": 10, "n_test": 20_000}
CONFIGURATIONS = [
    ("pid-redundant", {}),
    ("pid-complementary", {}),
    ("pid-unique", {}),
    ("pid-synergy", {}),
    ("pid-mixed", {}),
    ("pid-bits", {}),
    ("asynchronous", {}),
    ("lagged", {}),
    ("pid-redundant", {"missing": 0.3, "prior": 0.7, "delta": 0.7}),
    ("pid-complementary", {"missing": 0.3}),
    ("pid-complementary", {"prior": 0.8, "label_noise": 0.2}),
    ("pid-unique", {"delta": 1.0, "prior": 0.9}),
    ("pid-unique", {"delta": 2.0, "dim": 3}),
    ("pid-synergy", {"prior": 0.8, "missing": 0.2, "label_noise": 0.1}),
    ("pid-synergy", {"delta": 2.5}),
    ("pid-mixed", {"missing": 0.3, "label_noise": 0.2}),
    ("pid-bits", {"missing": 0.3, "label_noise": 0.2}),
    ("asynchronous", {"frames": 8, "events": 6, "dim": 2, "noise": 0.5}),
    ("lagged", {"frames": 16, "rho": 0.8, "lags": (1, 3)}),
]


@pytest.mark.parametrize(("name", "parameters"), CONFIGURATIONS)
def test_the_posterior_reaches_the_ceiling(name, parameters, build, read, posterior, hits):
    source = build(name, **parameters, **LARGE)
    inputs, target = read(source)
    right = hits(posterior(name, inputs, **parameters), target).reshape(len(target), -1).mean(1)
    score = right.mean().item()
    score = 1 - score if source.task.metric == "hamming" else score
    assert source.ceiling == pytest.approx(score, abs=3 * right.std().item() / sqrt(len(right)))


@pytest.mark.parametrize(("name", "parameters"), [*CONFIGURATIONS, ("paired", {}), ("paired", {"rho": 0.5})])
def test_the_posterior_is_calibrated(name, parameters, build, read, posterior):
    """What it says happens as often as it says, wherever it is low, medium or high."""
    source = build(name, **parameters, **LARGE)
    inputs, target = read(source)
    p = posterior(name, inputs, **parameters)
    assert p.dtype == torch.float64
    assert p.shape == (len(target), source.task.outputs)
    truth = torch.nn.functional.one_hot(target, p.shape[1]).double() if target.dim() == 1 else target.double()
    if target.dim() == 1:
        torch.testing.assert_close(p.sum(1), torch.ones(len(p), dtype=torch.float64))
    for low, high in ((0.0, 0.3), (0.3, 0.7), (0.7, 1.0)):
        inside = (p > low) & (p <= high)
        spread = (p * (1 - p))[inside].sum().sqrt().item()
        # Columns of a row sum to one, so that the spread of a class task is at most √2 of independent ones'.
        assert abs((truth - p)[inside].sum().item()) <= 4 * sqrt(2) * spread + 1e-9
        assert spread > 0


@pytest.mark.parametrize(
    ("name", "kept", "expected"),
    [
        ("pid-redundant", "first", 0.88493),
        ("pid-redundant", "second", 0.88493),
        ("pid-complementary", "first", 0.88493),
        ("pid-complementary", "second", 0.78814),
        ("pid-unique", "first", 0.93319),
        ("pid-unique", "second", 0.5),
        ("pid-synergy", "first", 0.5),
        ("pid-synergy", "second", 0.5),
        ("pid-mixed", "first", 0.20645),
        ("pid-mixed", "second", 0.16578),
        ("asynchronous", "query", 0.5),
        ("asynchronous", "events", 0.5),
        ("lagged", "first", 0.25),
        ("lagged", "second", 0.25),
    ],
)
def test_what_one_modality_allows(name, kept, expected, build, read, posterior, hits):
    inputs, target = read(build(name, **LARGE))
    other = next(m for m in inputs.names if m != kept)
    right = hits(posterior(name, inputs.without(other)), target)
    assert right.mean().item() == pytest.approx(expected, abs=3 * sqrt(expected * (1 - expected) / len(right)))


@pytest.mark.parametrize("name", ["pid-synergy", "pid-mixed", "pid-bits", "asynchronous", "lagged", "paired"])
def test_absence_counts_whatever_stands_in_the_values(name, build, read, posterior):
    inputs, _ = read(build(name, **LARGE))
    blank = inputs.without(inputs.names[0])
    stale = type(inputs)(inputs.values, blank.present)
    torch.testing.assert_close(posterior(name, stale), posterior(name, blank))
