"""Hybrid pooling: its scores, and standardisation by statistics of present rows."""

import pytest
import torch
from mmbench_pooling.hybrid import DirectionScores, HybridPooling
from mmbench_pooling.standardise import MaskedBatchNorm
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

B, M, D = 30, 3, 8


def draw(seed=0, share=0.4):
    g = torch.Generator().manual_seed(seed)
    present = torch.rand(B, M, generator=g) >= share
    present[torch.arange(B), torch.arange(B) % M] = True
    return 2 + 3 * torch.randn(B, M, D, generator=g, dtype=torch.float64), present


def test_scores_are_projections_on_unit_directions():
    f, _ = draw()
    scores = DirectionScores(M, D).double()
    with torch.no_grad():
        scores.directions.normal_()
        scores.scale.fill_(0.7)
    e = scores(f)
    for k, theta in enumerate(scores.directions):
        expected = 0.7 * f.flatten(1) @ theta / theta.square().sum().sqrt()
        torch.testing.assert_close(e[:, k], expected)
    with torch.no_grad():
        scores.directions.mul_(torch.tensor([[0.01], [5.0], [300.0]]))
    torch.testing.assert_close(scores(f), e)


@pytest.mark.parametrize("static", [False, True])
@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_starts_as_the_mean_of_those_present(static, norm):
    h, present = draw()
    fuser = HybridPooling(M, D, static, norm).double().eval()
    f = fuser.standardise(fuser.project(h), present)
    here = present[..., None].double()
    torch.testing.assert_close(fuser(h, present), (f * here).sum(1) / here.sum(1))


def test_missing_token_is_there_only_where_it_matters():
    assert HybridPooling(3, D, static=False, norm="batch").slots
    assert not HybridPooling(2, D, static=False, norm="batch").slots
    assert not HybridPooling(3, D, static=True, norm="batch").slots


def test_complete_rows_are_batch_normalised():
    """Against torch, over several steps: outputs, running averages, evaluation."""
    ours, theirs = MaskedBatchNorm(M, D).double(), nn.BatchNorm1d(M * D, affine=False).double()
    for seed in range(4):
        f, present = draw(seed, share=0.0)
        f.requires_grad_()
        out, expected = ours(f, present), theirs(f.flatten(1)).unflatten(1, (M, D))
        torch.testing.assert_close(out, expected)
        gradients = [torch.autograd.grad(x.pow(3).sum(), f)[0] for x in (out, expected)]
        torch.testing.assert_close(*gradients)
    torch.testing.assert_close(ours.mean.flatten(), theirs.running_mean)
    torch.testing.assert_close(ours.variance.flatten(), theirs.running_var)
    ours.eval(), theirs.eval()
    torch.testing.assert_close(ours(f, present), theirs(f.flatten(1)).unflatten(1, (M, D)))


def test_absent_rows_have_no_part_in_the_statistics():
    f, present = draw()
    norm = MaskedBatchNorm(M, D).double()
    out = norm(f, present)
    for m in range(M):
        alone = nn.BatchNorm1d(D, affine=False).double()
        torch.testing.assert_close(out[present[:, m], m], alone(f[present[:, m], m]))
        torch.testing.assert_close(norm.mean[m], alone.running_mean)
        torch.testing.assert_close(norm.variance[m], alone.running_var)


@pytest.mark.parametrize("rows", [0, 1])
def test_too_few_rows_are_standardised_by_running_averages(rows):
    f, present = draw(share=0.0)
    norm = MaskedBatchNorm(M, D).double()
    norm(f, present)
    mean, variance = norm.mean[0].clone(), norm.variance[0].clone()
    present[:, 0] = torch.arange(B) < rows
    out = norm(f, present)
    torch.testing.assert_close(out[:, 0], (f[:, 0] - mean) / (variance + 1e-5).sqrt())
    torch.testing.assert_close(norm.mean[0], mean)
    torch.testing.assert_close(norm.variance[0], variance)
    assert not torch.equal(norm.mean[1], torch.zeros(D))


def test_running_averages_of_seeds_at_once_are_those_of_each():
    norms = [MaskedBatchNorm(M, D).double() for _ in range(2)]
    parameters, buffers = stack_module_state(norms)
    draws = [draw(seed) for seed in range(2)]
    f, present = (torch.stack(x) for x in zip(*draws, strict=True))
    out = vmap(lambda p, b, x, here: functional_call(norms[0], (p, b), (x, here)))(parameters, buffers, f, present)
    for i, (norm, one) in enumerate(zip(norms, draws, strict=True)):
        torch.testing.assert_close(out[i], norm(*one))
        torch.testing.assert_close(buffers["mean"][i], norm.mean)
        torch.testing.assert_close(buffers["variance"][i], norm.variance)


def test_layer_norm_looks_at_one_vector():
    h, present = draw()
    fuser = HybridPooling(M, D, static=False, norm="layer").double()
    f = fuser.standardise(fuser.project(h), present)
    torch.testing.assert_close(f.mean(-1), torch.zeros(B, M, dtype=torch.float64), atol=1e-9, rtol=0)
    torch.testing.assert_close(f.var(-1, unbiased=False), torch.ones(B, M, dtype=torch.float64), atol=1e-3, rtol=0)
    assert list(fuser.buffers()) == []
