"""Weights of modalities: on the simplex of those present, and the fused vector inside their convex hull."""

import pytest
import torch
from mmbench_pooling.attention import AttentionPooling, AttentionScores
from mmbench_pooling.hybrid import DirectionScores, HybridPooling
from mmbench_pooling.weights import ConstantScores, SoftmaxPooling, masked_softmax, weighted_sum

B, M, D = 40, 4, 8
SCORES = {
    "constant": lambda modalities: ConstantScores(modalities),
    "attention": lambda modalities: AttentionScores(modalities, D),
    "direction": lambda modalities: DirectionScores(modalities, D),
}


def vectors(missing=True):
    g = torch.Generator().manual_seed(0)
    present = torch.rand(B, M, generator=g) > 0.4 if missing else torch.ones(B, M, dtype=torch.bool)
    present[torch.arange(B), torch.arange(B) % M] = True
    return torch.randn(B, M, D, generator=g, dtype=torch.float64), present


def pooling(name, modalities=M):
    torch.manual_seed(0)
    pool = SoftmaxPooling(SCORES[name](modalities)).double()
    with torch.no_grad():  # as after training: nothing is equal any more
        for parameter in pool.parameters():
            parameter.add_(torch.randn_like(parameter))
    return pool


def test_masked_softmax_is_softmax_of_what_is_there():
    scores, present = torch.tensor([[1.0, 2.0, 7.0]]), torch.tensor([[True, True, False]])
    expected = torch.tensor([[1.0, 2.0]]).softmax(1)
    torch.testing.assert_close(masked_softmax(scores, present), torch.cat([expected, torch.zeros(1, 1)], 1))


@pytest.mark.parametrize("name", SCORES)
def test_weights_sum_to_one_over_those_present(name):
    f, present = vectors()
    p = pooling(name).weights(f, present)
    assert (p >= 0).all()
    assert not p[~present].any()
    torch.testing.assert_close(p.sum(1), torch.ones(B, dtype=torch.float64))
    assert (p[:, 0] - p[:, 1]).std() > 0


@pytest.mark.parametrize("name", SCORES)
def test_equal_vectors_are_what_they_are(name):
    f, present = vectors()
    f = f[:, :1].expand(-1, M, -1)
    torch.testing.assert_close(pooling(name)(f, present), f[:, 0])


@pytest.mark.parametrize("name", SCORES)
def test_fused_vector_lies_in_the_convex_hull(name):
    """With one vertex a modality, the coordinates of the fused vector are its weights."""
    present = vectors()[1]
    corners = torch.eye(M, D, dtype=torch.float64).expand(B, -1, -1)
    fused = pooling(name)(corners, present)
    assert (fused >= 0).all()
    torch.testing.assert_close(fused[:, :M].sum(1), torch.ones(B, dtype=torch.float64))
    assert not fused[:, :M][~present].any()


def test_constant_weights_are_those_of_every_sample():
    f, present = vectors(missing=False)
    pool = pooling("constant")
    p = pool.weights(f, present)
    torch.testing.assert_close(p, pool.scores.constants.softmax(0).expand(B, -1))


def test_one_modality_has_weight_one_and_nothing_to_learn():
    f, present = torch.randn(5, 1, D), torch.ones(5, 1, dtype=torch.bool)
    attend, blend = AttentionPooling(1, D, static=False), HybridPooling(1, D, static=True, norm="layer")
    assert list(attend.parameters()) == []
    assert [name for name, _ in blend.named_parameters()] == ["project.weight"]
    assert torch.equal(attend(f, present), f[:, 0])


def test_weighted_sum():
    f, _ = vectors()
    p = torch.rand(B, M, dtype=torch.float64)
    torch.testing.assert_close(weighted_sum(p, f), torch.einsum("bm,bmd->bd", p, f))
