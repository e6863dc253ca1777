"""Hybrid pooling: interpolation between standardised modality vectors."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmbench import Task
from mmbench_pooling.linear import ModalityLinear
from mmbench_pooling.model import Fused, Fuser, Hidden, Width
from mmbench_pooling.standardise import MaskedBatchNorm, PlainLayerNorm
from mmbench_pooling.weights import ConstantScores, SoftmaxPooling

Norm = Literal["batch", "layer"]


class DirectionScores(nn.Module):
    """e_k = s ⟨θ_k/‖θ_k‖, [f̃_1 ‖ … ‖ f̃_M]⟩, one direction θ_k ∈ R^{Md} a modality; s is learned, 1 at the start.

    All θ_k start at one random direction, so that pooling starts as the mean. Were each drawn by
    itself, every sample would be weighted at random before anything is learned, which hinders learning XOR.

    Shapes:
        (B,M,d) -> (B,M).
    """

    def __init__(self, modalities: int, width: int) -> None:
        super().__init__()
        self.directions = nn.Parameter(torch.randn(1, modalities * width).repeat(modalities, 1))
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, f: Tensor) -> Tensor:
        return self.scale * F.linear(f.flatten(1), F.normalize(self.directions, dim=-1))


class HybridPooling(Fuser):
    """f̂ = Σ_k p_k f̃_k, p = softmax(e) over those present; f̃_m is W_m h_m, standardised.

    The maps W_m have no bias: standardising over a batch would take it out again. In the concatenation
    that scores read, the learned missing token, mapped and standardised like a vector, stands for
    an absent modality. It matters from three modalities on: of two, the other one has weight 1.

    Args:
        modalities: M.
        width: d.
        static: scores are learned constants instead of ``DirectionScores``.
        norm: statistics of each entry over the ``batch``, or of each vector by itself (``layer``).
    """

    def __init__(self, modalities: int, width: int, static: bool, norm: Norm) -> None:
        super().__init__()
        self.slots = modalities > 2 and not static
        self.project = ModalityLinear(modalities, width)
        self.standardise = MaskedBatchNorm(modalities, width) if norm == "batch" else PlainLayerNorm()
        scores = ConstantScores(modalities) if static else DirectionScores(modalities, width)
        self.pool = SoftmaxPooling(scores if modalities > 1 else None)

    def forward(self, h: Tensor, present: Tensor) -> Tensor:
        pooled: Tensor = self.pool(self.standardise(self.project(h), present), present)
        return pooled


def hybrid_pooling(
    task: Task, *, static: bool = False, norm: Norm = "batch", width: Width = 64, hidden: Hidden = 64
) -> Fused:
    """``HybridPooling`` between encoders and a head.

    Args:
        task: to be done.
        static: weights are the same for every sample.
        norm: what standardises, the ``batch`` or ``layer`` norm.
        width: d of the encoders.
        hidden: width of the head's hidden layer, 0 for none.
    """
    return Fused(task, HybridPooling(len(task.modalities), width, static, norm), width, hidden)
