"""Attention pooling: an attention vector a modality."""

from math import sqrt

import torch
from torch import Tensor, nn

from mmbench import Task
from mmbench_pooling.model import Fused, Fuser, Hidden, Width
from mmbench_pooling.weights import ConstantScores, SoftmaxPooling


class AttentionScores(nn.Module):
    """e_m = a_mᵀ W f_m / √d, an attention vector a_m ∈ R^d a modality, W ∈ R^{d×d} shared.

    Were all a_m the same, this would be attention of a single query, keys W f_m.

    Shapes:
        (B,M,d) -> (B,M).
    """

    def __init__(self, modalities: int, width: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(modalities, width))
        self.key = nn.Linear(width, width, bias=False)

    def forward(self, f: Tensor) -> Tensor:
        directions = self.queries @ self.key.weight  # (M,d): cheaper than to map every f_m
        return (f * directions).sum(-1) / sqrt(f.shape[-1])


class AttentionPooling(Fuser):
    """f̂ = Σ_m β_m f_m, β = softmax(e) over those present.

    Args:
        modalities: M.
        width: d.
        static: scores are learned constants instead of ``AttentionScores``.
    """

    def __init__(self, modalities: int, width: int, static: bool) -> None:
        super().__init__()
        scores = ConstantScores(modalities) if static else AttentionScores(modalities, width)
        self.pool = SoftmaxPooling(scores if modalities > 1 else None)

    def forward(self, h: Tensor, present: Tensor) -> Tensor:
        pooled: Tensor = self.pool(h, present)
        return pooled


def attention_pooling(task: Task, *, static: bool = False, width: Width = 64, hidden: Hidden = 64) -> Fused:
    """``AttentionPooling`` between encoders and a head.

    Args:
        task: to be done.
        static: weights are the same for every sample.
        width: d of the encoders.
        hidden: width of the head's hidden layer, 0 for none.
    """
    return Fused(task, AttentionPooling(len(task.modalities), width, static), width, hidden)
