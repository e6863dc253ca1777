"""Shared functions against closed forms and against torch's own."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.nn.functional import (
    attention,
    frozen,
    log_probabilities,
    masked_mean,
    prior,
    probabilities,
    scale_gradient,
)

X = (Modality("x", "vector", (2,)),)
CLASSES, LABELS = Task("classification", 3, X), Task("multilabel", 3, X)
VALUES, ANOMALY = Task("regression", 2, X), Task("anomaly", 1, X)


@pytest.fixture
def draw():
    source = torch.Generator().manual_seed(0)

    def normal(*shape, grad=False):
        return torch.randn(*shape, generator=source, dtype=torch.float64).requires_grad_(grad)

    return normal


def test_a_masked_mean_is_the_mean_of_what_is_kept(draw):
    x = draw(3, 4, 5)
    mask = torch.tensor([[1, 1, 1, 1], [0, 1, 0, 1], [0, 0, 0, 0]]).bool()
    mean = masked_mean(x, mask)
    torch.testing.assert_close(mean[0], x[0].mean(0))
    torch.testing.assert_close(mean[1], (x[1, 1] + x[1, 3]) / 2)
    assert not mean[2].any(), "nothing kept is zero, not NaN"
    assert mean.dtype == x.dtype


def test_a_masked_mean_does_not_see_what_is_masked(draw):
    x, other = draw(2, 4, 3), draw(2, 4, 3)
    mask = torch.tensor([[1, 0, 1, 0], [0, 0, 0, 1]]).bool()
    mixed = torch.where(mask[..., None], x, 1e6 * other)
    assert torch.equal(masked_mean(x, mask), masked_mean(mixed, mask))


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_attention_is_softmax_of_scaled_products(draw, heads):
    q, k, v = draw(2, 3, 8), draw(2, 5, 8), draw(2, 5, 8)
    mask = torch.tensor([[1, 1, 0, 1, 0], [0, 0, 0, 0, 1]]).bool()
    parts = []
    for part in range(heads):
        mine = slice(part * 8 // heads, (part + 1) * 8 // heads)
        scores = q[..., mine] @ k[..., mine].transpose(1, 2) / math.sqrt(8 / heads)
        parts.append(scores.masked_fill(~mask[:, None], -math.inf).softmax(-1) @ v[..., mine])
    torch.testing.assert_close(attention(q, k, v, mask, heads), torch.cat(parts, -1))


def test_attention_over_everything_is_torchs_own(draw):
    q, k, v = draw(2, 3, 8), draw(2, 5, 8), draw(2, 5, 8)
    torch.testing.assert_close(attention(q, k, v), F.scaled_dot_product_attention(q, k, v))
    everything = torch.ones(2, 5, dtype=torch.bool)
    torch.testing.assert_close(attention(q, k, v, everything, 2), attention(q, k, v, heads=2))


def test_attention_between_projections_is_multihead_attention(draw):
    torch.manual_seed(0)
    theirs = nn.MultiheadAttention(8, 4, batch_first=True, dtype=torch.float64)
    nn.init.normal_(theirs.in_proj_bias)
    q, k, v = draw(3, 2, 8), draw(3, 6, 8), draw(3, 6, 8)
    mask = torch.arange(6) < torch.tensor([6, 1, 4])[:, None]
    projected = [
        F.linear(x, weight, bias)
        for x, weight, bias in zip((q, k, v), theirs.in_proj_weight.chunk(3), theirs.in_proj_bias.chunk(3), strict=True)
    ]
    mine = theirs.out_proj(attention(*projected, mask, heads=4))
    torch.testing.assert_close(mine, theirs(q, k, v, key_padding_mask=~mask, need_weights=False)[0])


def test_attention_to_nothing_is_zero_and_its_gradients_are_numbers(draw):
    q, k, v = draw(3, 2, 4, grad=True), draw(3, 5, 4, grad=True), draw(3, 5, 4, grad=True)
    mask = torch.zeros(3, 5, dtype=torch.bool)
    mask[1, :2] = True
    out = attention(q, k, v, mask, heads=2)
    assert not out[0].any()
    assert not out[2].any()
    assert out[1].any()
    out.square().sum().backward()
    for x in (q, k, v):
        assert x.grad.isfinite().all()
        assert not x.grad[0].any()
    assert not v.grad[1, 2:].any(), "masked keys get no gradient"
    assert v.grad[1, :2].all()


def test_attention_stays_within_a_sample(draw):
    q, k, v = draw(4, 2, 8), draw(4, 3, 8), draw(4, 3, 8)
    mask = torch.ones(4, 3, dtype=torch.bool)
    whole = attention(q, k, v, mask, heads=2)
    one = attention(q[2:3], k[2:3], v[2:3], mask[2:3], heads=2)
    torch.testing.assert_close(whole[2:3], one)


def test_attention_maps_over_models(draw):
    q, k, v = draw(3, 2, 4, 8), draw(3, 2, 5, 8), draw(3, 2, 5, 8)
    mask = torch.tensor([[1, 1, 0, 0, 1], [0, 0, 0, 0, 0]]).bool()
    together = torch.vmap(lambda q, k, v: attention(q, k, v, mask, heads=2))(q, k, v)
    for i in range(3):
        torch.testing.assert_close(together[i], attention(q[i], k[i], v[i], mask, heads=2))


def test_frozen_passes_gradients_to_the_arguments_alone(draw):
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1)).double()
    x = draw(5, 4, grad=True)
    out = frozen(critic, x)
    torch.testing.assert_close(out, critic(x))
    out.sum().backward()
    assert x.grad.any()
    assert all(p.grad is None for p in critic.parameters())
    assert all(p.requires_grad for p in critic.parameters()), "it can still be trained by another path"


@pytest.mark.parametrize("k", [-1.0, 0.0, 0.1, 1.0, 7.3])
def test_a_scaled_gradient_leaves_the_value_as_it_is(draw, k):
    x = draw(50, grad=True)
    out = scale_gradient(x, k)
    assert torch.equal(out, x)
    (out**2).sum().backward()
    torch.testing.assert_close(x.grad, 2 * k * x.detach())


def test_probabilities_by_task(draw):
    logits = draw(6, 3)
    torch.testing.assert_close(probabilities(CLASSES, logits), logits.softmax(-1))
    torch.testing.assert_close(probabilities(LABELS, logits), 1 / (1 + (-logits).exp()))
    assert torch.equal(probabilities(VALUES, logits), logits)
    for task in (CLASSES, LABELS):
        torch.testing.assert_close(log_probabilities(task, logits).exp(), probabilities(task, logits))
    far = torch.tensor([[-800.0, 0.0, 800.0]], dtype=torch.float64)
    assert log_probabilities(CLASSES, far).isfinite().all()
    assert log_probabilities(LABELS, far).isfinite().all()


def test_the_prior_of_classes_is_their_frequencies():
    target = torch.tensor([0, 0, 0, 1, 2, 2])
    torch.testing.assert_close(probabilities(CLASSES, prior(CLASSES, target)), torch.tensor([3, 1, 2]) / 6)


def test_the_prior_of_labels_is_the_share_of_each():
    target = torch.tensor([[1.0, 0, 0], [1, 1, 0], [0, 1, 0], [1, 1, 1]])
    torch.testing.assert_close(prior(LABELS, target).sigmoid(), torch.tensor([0.75, 0.75, 0.25]))


def test_the_prior_of_values_is_their_mean():
    target = torch.tensor([[1.0, 10.0], [3.0, 30.0]])
    torch.testing.assert_close(prior(VALUES, target), torch.tensor([2.0, 20.0]))


def test_the_prior_of_what_never_occurs_is_half_a_sample():
    missing = prior(CLASSES, torch.tensor([0, 0, 2]))
    assert missing.isfinite().all()
    torch.testing.assert_close(missing.softmax(0), torch.tensor([2, 0.5, 1]) / 3.5)
    for label, logit in ((0.0, math.log(0.125 / 0.875)), (1.0, math.log(0.875 / 0.125))):
        torch.testing.assert_close(prior(ANOMALY, torch.full((4, 1), label)), torch.tensor([logit]))
