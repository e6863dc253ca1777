"""Combination rules against numbers worked out by hand."""

import math

import pytest
import torch
from mmbench_levels.rules import combine

from mmbench import Modality, Task, probabilities

CLASSES = Task("classification", 3, tuple(Modality(name, "vector", (1,)) for name in "abc"))
LABELS = Task("multilabel", 2, CLASSES.modalities)
VALUES = Task("regression", 2, CLASSES.modalities)
RULES = ["mean", "weighted", "max", "vote", "product"]
P = torch.tensor([[[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.5, 0.3]]], dtype=torch.float64)
EVERY, WEIGHTS = torch.ones(1, 3, dtype=torch.bool), torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
PRIOR = torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64)


def fused(rule, p=P, present=EVERY, weights=WEIGHTS, prior=PRIOR, task=CLASSES):
    logits = p.logit() if task is LABELS else p.log()
    prior = prior.logit() if task is LABELS else prior.log()
    return probabilities(task, combine(task, rule, logits, present, weights, prior))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("mean", [1.0 / 3, 1.3 / 3, 0.7 / 3]),
        ("weighted", [0.35 + 0.03 + 0.04, 0.10 + 0.18 + 0.10, 0.05 + 0.09 + 0.06]),
        ("max", [0.7 / 1.6, 0.6 / 1.6, 0.3 / 1.6]),
        ("vote", [(1 + 1 / 3) / 4, (2 + 1.3 / 3) / 4, (0.7 / 3) / 4]),
        ("product", [0.056 / 1.16, 0.96 / 1.16, 0.144 / 1.16]),  # Π p_m / p(y)² is .056, .96, .144
    ],
)
def test_known_values(rule, expected):
    weights = torch.ones(3, dtype=torch.float64) if rule == "mean" else WEIGHTS
    torch.testing.assert_close(fused(rule, weights=weights)[0].tolist(), expected)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("task", [CLASSES, LABELS])
def test_is_a_distribution_for_every_set_of_modalities(rule, task):
    g = torch.Generator().manual_seed(0)
    present = torch.tensor([[b >> m & 1 for m in range(3)] for b in range(1, 8)]).bool()
    p = torch.rand(7, 3, task.outputs, generator=g, dtype=torch.float64) + 0.01
    p = p / p.sum(-1, keepdim=True) if task is CLASSES else p.clamp(max=0.99)
    out = fused(rule, p, present, prior=PRIOR[: task.outputs], task=task)
    assert out.isfinite().all()
    assert ((out > 0) & (out < 1)).all()
    if task is CLASSES:
        torch.testing.assert_close(out.sum(-1), torch.ones(7, dtype=torch.float64))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("task", [CLASSES, LABELS])
def test_one_modality_alone_is_itself(rule, task):
    p = P[..., : task.outputs]
    for m in range(3):
        only = torch.tensor([[i == m for i in range(3)]])
        out = fused(rule, p, only, prior=PRIOR[: task.outputs], task=task)
        expected = p[:, m]
        if rule == "vote":  # (v + p)/2: the same order, but surer
            sure = (expected > 0.5) if task is LABELS else expected == expected.max()
            expected = (sure + expected) / 2
        torch.testing.assert_close(out, expected)


@pytest.mark.parametrize("rule", RULES)
def test_absent_modality_is_as_if_it_were_not_there(rule):
    two = torch.tensor([[True, False, True]])
    out = fused(rule, P, two)
    kept = combine(CLASSES, rule, P[:, [0, 2]].log(), EVERY[:, :2], WEIGHTS[[0, 2]], PRIOR.log())
    torch.testing.assert_close(out, kept.softmax(-1))


@pytest.mark.parametrize("rule", RULES)
def test_a_label_is_a_class_of_two(rule):
    """Bernoulli outputs are combined as distributions over {0,1}."""
    yes = P[..., 0]  # (1,M)
    two = Task("classification", 2, CLASSES.modalities)
    one = Task("verification", 1, CLASSES.modalities)
    prior = torch.tensor([0.3], dtype=torch.float64)
    both = torch.stack([1 - yes, yes], -1).log()
    prior_of_both = torch.cat([1 - prior, prior]).log()
    expected = combine(two, rule, both, EVERY, WEIGHTS, prior_of_both).softmax(-1)[:, 1:]
    out = combine(one, rule, yes[..., None].logit(), EVERY, WEIGHTS, prior.logit()).sigmoid()
    torch.testing.assert_close(out, expected)


def test_product_of_labels_adds_logits():
    """Σ_m logit_m − (M−1)·logit of the prior."""
    logits = torch.tensor([[[0.3], [-1.2], [2.0]]])
    out = combine(Task("anomaly", 1, CLASSES.modalities), "product", logits, EVERY, WEIGHTS, torch.tensor([-0.4]))
    torch.testing.assert_close(out, torch.tensor([[0.3 - 1.2 + 2.0 + 0.8]]))


def test_tied_vote_goes_to_the_mean():
    p = torch.tensor([[[0.6, 0.4, 0.0], [0.05, 0.9, 0.05]]], dtype=torch.float64).clamp(min=1e-9)
    out = fused("vote", p, EVERY[:, :2], WEIGHTS[:2])
    torch.testing.assert_close(out[0, :2].tolist(), [1.325 / 3, 1.65 / 3], atol=1e-6, rtol=0)


def test_vote_outweighs_any_mean():
    p = torch.tensor([[[0.51, 0.49, 0.0], [0.51, 0.49, 0.0], [0.0, 1.0, 0.0]]], dtype=torch.float64).clamp(min=1e-9)
    assert fused("vote", p).argmax() == 0
    assert fused("mean", p, weights=torch.ones(3, dtype=torch.float64)).argmax() == 1


def test_values_are_averaged_over_those_present():
    values = torch.tensor([[[1.0, 10.0], [2.0, 20.0], [6.0, 60.0]]])
    some = torch.tensor([[True, False, True]])
    prior = torch.zeros(2)
    mean = combine(VALUES, "mean", values, some, torch.ones(3), prior)
    weighted = combine(VALUES, "weighted", values, some, torch.tensor([0.3, 0.6, 0.1]), prior)
    torch.testing.assert_close(mean, torch.tensor([[3.5, 35.0]]))
    torch.testing.assert_close(weighted, torch.tensor([[2.25, 22.5]]))


def test_product_is_exact_under_conditional_independence():
    """p(y|x) from a joint table p(y) p(x_1|y) p(x_2|y), against the product of its own posteriors."""
    g = torch.Generator().manual_seed(1)
    p_y = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64)
    p_1, p_2 = (torch.rand(3, 4, generator=g, dtype=torch.float64).softmax(1) for _ in range(2))
    joint = p_y[:, None, None] * p_1[:, :, None] * p_2[:, None, :]
    exact = (joint / joint.sum(0)).flatten(1).T
    alone = [joint.sum(2), joint.sum(1)]
    alone = [(table / table.sum(0)).T for table in alone]
    pairs = torch.stack([alone[0].repeat_interleave(4, 0), alone[1].repeat(4, 1)], 1)
    out = fused("product", pairs, torch.ones(16, 2, dtype=torch.bool), WEIGHTS[:2], p_y)
    torch.testing.assert_close(out, exact)


def test_product_of_exact_posteriors_reaches_the_ceiling():
    """METHODS §4.1, task R: y = ±1, x_m = δ_m y + ε, so that p_m = σ(2 δ_m x_m) and the ceiling is Φ(|δ|)."""
    g, rows, strengths = torch.Generator().manual_seed(0), 200_000, torch.tensor([1.2, 0.8], dtype=torch.float64)
    y = torch.randint(0, 2, (rows, 1), generator=g)
    x = strengths * (2.0 * y - 1) + torch.randn(rows, 2, generator=g, dtype=torch.float64)
    logits = (2 * strengths * x)[..., None]
    task = Task("anomaly", 1, CLASSES.modalities[:2])
    out = combine(task, "product", logits, torch.ones(rows, 2).bool(), WEIGHTS[:2], torch.zeros(1))
    ceiling = 0.5 * (1 + math.erf(strengths.norm().item() / math.sqrt(2)))
    accuracy = ((out > 0) == y).double().mean().item()
    assert ceiling == pytest.approx(0.92538, abs=5e-6)
    assert accuracy == pytest.approx(ceiling, abs=4 * math.sqrt(ceiling * (1 - ceiling) / rows))


@pytest.mark.parametrize("rule", RULES)
def test_gradients_are_finite_with_modalities_absent(rule):
    logits = torch.randn(7, 3, 3, requires_grad=True)
    weights = torch.tensor([0.5, 0.5, 0.0], requires_grad=True)
    present = torch.tensor([[b >> m & 1 for m in range(3)] for b in range(1, 8)]).bool()
    out = combine(CLASSES, rule, logits, present, weights, PRIOR.float().log())
    (out * torch.randn(out.shape)).sum().backward()
    assert logits.grad.isfinite().all()
    assert (logits.grad[~present] == 0).all()
    assert rule not in ("mean", "weighted") or weights.grad.isfinite().all()
