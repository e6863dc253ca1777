"""Weighted sums over the modalities that are present."""

import torch
from torch import Tensor, nn


def masked_softmax(scores: Tensor, present: Tensor, dim: int = -1) -> Tensor:
    """Softmax over ``dim`` of the entries where ``present``; zero elsewhere. At least one must be."""
    return scores.masked_fill(~present, -torch.inf).softmax(dim)


def weighted_sum(weights: Tensor, vectors: Tensor) -> Tensor:
    """Σ_m p_m f_m: (B,M), (B,M,d) -> (B,d)."""
    return (weights[..., None] * vectors).sum(-2)


class ConstantScores(nn.Module):
    """Scores c_m that do not depend on the sample: (B,M,d) -> (B,M). Equal at the start."""

    def __init__(self, modalities: int) -> None:
        super().__init__()
        self.constants = nn.Parameter(torch.zeros(modalities))

    def forward(self, vectors: Tensor) -> Tensor:
        return self.constants.expand(vectors.shape[:-1])


class SoftmaxPooling(nn.Module):
    """f̂ = Σ_m p_m f_m, p = softmax(e) over those present, e = scores(f).

    Args:
        scores: (B,M,d) -> (B,M); None for one modality, whose weight is 1 whatever its score.
    """

    def __init__(self, scores: nn.Module | None) -> None:
        super().__init__()
        self.scores = scores

    def weights(self, vectors: Tensor, present: Tensor) -> Tensor:
        """(B,M) p, each row on the simplex."""
        if self.scores is None:
            return torch.ones_like(vectors[..., 0])
        return masked_softmax(self.scores(vectors), present)

    def forward(self, vectors: Tensor, present: Tensor) -> Tensor:
        return weighted_sum(self.weights(vectors, present), vectors)
