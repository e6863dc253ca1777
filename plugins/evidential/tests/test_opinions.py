"""Opinions against the textbook's formulas, and against torch's distributions."""

from itertools import permutations

import pytest
import torch
from mmbench_evidential.opinions import combine, divergence_from_uniform, evidential_loss
from torch.distributions import Dirichlet, kl_divergence
from torch.testing import assert_close


def evidence_of(*opinions):
    """(b, u) -> (M,C) evidence: e = C b / u."""
    return torch.stack([len(b) * torch.tensor(b, dtype=torch.float64) / u for b, u in opinions])


def opinion(evidence):
    """(…,C) evidence -> b (…,C), u (…)."""
    total = (evidence + 1).sum(-1)
    return evidence / total[..., None], evidence.shape[-1] / total


def draw(*shape, scale=5.0):
    g = torch.Generator().manual_seed(0)
    return scale * torch.rand(*shape, generator=g, dtype=torch.float64) ** 3


def dempster(first, second):
    """Dempster's rule as it is written: with the conflict of two opinions."""
    (b1, u1), (b2, u2) = opinion(first), opinion(second)
    conflict = (b1[..., :, None] * b2[..., None, :]).sum((-2, -1)) - (b1 * b2).sum(-1)
    b = (b1 * b2 + b1 * u2[..., None] + b2 * u1[..., None]) / (1 - conflict)[..., None]
    return b, u1 * u2 / (1 - conflict)


def test_known_value():
    b, u = opinion(combine(evidence_of(((0.6, 0.1), 0.3), ((0.5, 0.2), 0.3))))
    assert_close(b, torch.tensor([0.7590, 0.1325], dtype=torch.float64), atol=5e-5, rtol=0)
    assert u.item() == pytest.approx(0.1084, abs=5e-5)


@pytest.mark.parametrize("classes", [2, 3, 27])
def test_is_dempsters_rule(classes):
    pairs = draw(40, 2, classes)
    b, u = opinion(combine(pairs))
    expected_b, expected_u = dempster(pairs[:, 0], pairs[:, 1])
    assert_close(b, expected_b)
    assert_close(u, expected_u)
    assert_close(b.sum(-1) + u, torch.ones(40, dtype=torch.float64))


def test_order_and_grouping_do_not_matter():
    three = draw(20, 3, 4)
    together = combine(three)
    for order in permutations(range(3)):
        assert_close(combine(three[:, list(order)]), together)
    pair = combine(three[:, :2])
    assert_close(combine(torch.stack([pair, three[:, 2]], 1)), together)


def test_vacuous_opinion_is_neutral():
    some = draw(20, 2, 4)
    vacuous = torch.zeros(20, 1, 4, dtype=torch.float64)
    assert_close(combine(torch.cat([some, vacuous], 1)), combine(some))
    assert_close(combine(vacuous), vacuous[:, 0])
    assert_close(combine(some[:, :1]), some[:, 0])


def test_agreement_makes_surer_and_conflict_is_finite():
    sure = evidence_of(((0.8, 0.1), 0.1), ((0.8, 0.1), 0.1))
    assert opinion(combine(sure))[1] < 0.1
    certain = torch.zeros(6, 27, dtype=torch.float64)
    certain[range(6), range(6)] = 1e9  # six modalities, each certain of another class: 1 − K is almost 0
    certain.requires_grad_()
    b, u = opinion(combine(certain))
    assert_close(b[:6], torch.full((6,), 1 / 6, dtype=torch.float64), atol=1e-6, rtol=0)
    assert b.isfinite().all()
    assert u >= 0
    evidential_loss(combine(certain), torch.eye(27)[0], torch.tensor(1.0)).backward()
    assert certain.grad.isfinite().all()


def test_ten_certain_modalities_are_finite():
    evidence = combine(torch.full((10, 2), 1e6, dtype=torch.float64))
    assert evidence.isfinite().all()
    assert opinion(evidence)[0].tolist() == pytest.approx([0.5, 0.5])


def test_divergence_is_that_of_torch():
    alpha = draw(30, 5) + 1
    uniform = Dirichlet(torch.ones_like(alpha))
    assert_close(divergence_from_uniform(alpha), kl_divergence(Dirichlet(alpha), uniform))
    assert_close(divergence_from_uniform(torch.ones(5)), torch.tensor(0.0))


def test_loss_is_the_mean_cross_entropy_under_the_dirichlet():
    """E[−log p_y] = ψ(S) − ψ(α_y), by Monte Carlo."""
    torch.manual_seed(0)
    alpha = torch.tensor([2.0, 1.5, 4.0], dtype=torch.float64)
    losses = -Dirichlet(alpha).sample((200_000,)).log()
    for y, target in enumerate(torch.eye(3, dtype=torch.float64)):
        expected, error = losses[:, y].mean(), losses[:, y].std() / 200_000**0.5
        found = evidential_loss(alpha - 1, target, torch.tensor(0.0))
        assert abs(found - expected) < 4 * error


def test_divergence_spares_the_evidence_for_the_truth():
    target = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    right, wrong = (torch.tensor(e, dtype=torch.float64) for e in ([0.0, 7.0, 0.0], [7.0, 0.0, 0.0]))

    def extra(evidence):  # what λ = 1 adds
        return evidential_loss(evidence, target, torch.tensor(1.0)) - evidential_loss(
            evidence, target, torch.tensor(0.0)
        )

    assert_close(extra(right), torch.tensor(0.0, dtype=torch.float64))
    assert_close(extra(wrong), divergence_from_uniform(torch.tensor([8.0, 1, 1], dtype=torch.float64)))
