"""Fitted weights: on the simplex, and those that other algorithms find."""

import pytest
import torch
from mmbench_levels.weights import fit_weights

from mmbench import Inputs, Modality, Split, Task

ROWS = 20_000


def task_of(kind, outputs, modalities):
    return Task(kind, outputs, tuple(Modality(f"m{i}", "vector", (1,)) for i in range(modalities)))


def split_of(present, target):
    return Split(Inputs({}, present), target)


def minorise(p, present, rounds=500):
    """Reference: argmax_w Σ_n log Σ_m w_m p_nm − log Σ_m w_m, m over those present, by minorisation
    (EM for the first part, the tangent of −log for the second; both steps exact, so monotone)."""
    here = present.double()
    w = torch.full(p.shape[1:], 1 / p.shape[1], dtype=torch.float64)
    for _ in range(rounds):
        joint = here * w * p
        responsibility = (joint / joint.sum(1, keepdim=True)).sum(0)
        w = responsibility / (here / (here * w).sum(1, keepdim=True)).sum(0)
        w = w / w.sum()
    return w


def classification(missing):
    g = torch.Generator().manual_seed(0)
    log_p = (2 * torch.randn(ROWS, 3, 4, generator=g, dtype=torch.float64)).log_softmax(-1)
    truth = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64)
    present = torch.ones(ROWS, 3, dtype=torch.bool)
    if missing:
        present = torch.rand(ROWS, 3, generator=g) > 0.4
        present[:, 0] |= ~present.any(1)
    shares = truth * present
    p = ((shares / shares.sum(1, keepdim=True))[..., None] * log_p.exp()).sum(1)
    target = torch.multinomial(p, 1, generator=g).squeeze(1)
    return log_p, present, target, truth


@pytest.mark.parametrize("missing", [False, True])
def test_mixture_is_recovered(missing):
    log_p, present, target, truth = classification(missing)
    task = task_of("classification", 4, 3)
    w = fit_weights(task, log_p, split_of(present, target))
    assert (w >= 0).all()
    assert w.sum().item() == pytest.approx(1)
    torch.testing.assert_close(w, truth, atol=0.03, rtol=0)
    p = log_p.exp()[torch.arange(ROWS), :, target]
    torch.testing.assert_close(w, minorise(p, present), atol=1e-4, rtol=0)


def test_useless_modality_gets_nothing():
    g = torch.Generator().manual_seed(0)
    target = torch.randint(0, 2, (2000,), generator=g)
    good = 3.0 * torch.nn.functional.one_hot(target, 2)
    flipped = torch.rand(2000, generator=g) < 0.03  # more often right than it claims
    good = torch.where(flipped[:, None], good.flip(1), good)
    unimodal = torch.stack([good, torch.zeros(2000, 2)], 1)
    w = fit_weights(task_of("classification", 2, 2), unimodal, split_of(torch.ones(2000, 2).bool(), target))
    assert w[0] > 0.999


def test_labels():
    g = torch.Generator().manual_seed(0)
    logits = torch.randn(ROWS, 2, 3, generator=g, dtype=torch.float64) * 2
    p = 0.75 * logits[:, 0].sigmoid() + 0.25 * logits[:, 1].sigmoid()
    target = torch.bernoulli(p, generator=g)
    w = fit_weights(task_of("multilabel", 3, 2), logits, split_of(torch.ones(ROWS, 2).bool(), target))
    torch.testing.assert_close(w, torch.tensor([0.75, 0.25], dtype=torch.float64), atol=0.02, rtol=0)


def test_values_against_least_squares():
    """With two modalities, w minimises |y − ŷ_2 − w(ŷ_1 − ŷ_2)|²: a projection, inside (0,1) here."""
    g = torch.Generator().manual_seed(0)
    y = torch.randn(5000, 2, generator=g, dtype=torch.float64)
    a, b = (y + s * torch.randn(5000, 2, generator=g, dtype=torch.float64) for s in (0.5, 1.0))
    d = a - b
    expected = ((y - b) * d).sum() / (d * d).sum()
    w = fit_weights(task_of("regression", 2, 2), torch.stack([a, b], 1), split_of(torch.ones(5000, 2).bool(), y))
    assert w[0].item() == pytest.approx(expected.item(), abs=1e-5)
    assert expected.item() == pytest.approx(0.8, abs=0.02)  # 1/s² over their sum


def test_works_where_gradients_are_off():
    """As in ``finish``."""
    log_p, present, target, _ = classification(False)
    task = task_of("classification", 4, 3)
    with torch.no_grad():
        w = fit_weights(task, log_p[:500].float(), split_of(present[:500], target[:500]))
    assert not w.requires_grad
    assert w.sum().item() == pytest.approx(1)
