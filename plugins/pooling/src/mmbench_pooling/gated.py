"""Gated multimodal unit."""

from typing import Literal

import torch
from torch import Tensor, nn

from mmbench import Task
from mmbench_pooling.linear import ModalityLinear
from mmbench_pooling.model import Fused, Fuser, Hidden, Width
from mmbench_pooling.weights import masked_softmax

Gate = Literal["independent", "softmax"]


class GatedUnit(Fuser):
    """f̂ = Σ_m z_m ⊙ t_m, t_m = tanh(W_m h_m), gates z_m ∈ (0,1)^d of [h_1 ‖ … ‖ h_M].

    Arevalo et al. 2017 (arXiv:1702.01992). Two modalities share one gate, z_1 = σ(W_z [h_1 ‖ h_2]) and
    z_2 = 1 − z_1; more have ``independent`` ones, z_m = σ(W_{z,m} [h]). With ``softmax``, the z_m of
    any number are the softmax over m of W_{z,m} [h]. One modality needs no gate. No map has a bias.

    An absent modality has gate zero, and gates that sum to one do so over the others. The gates of
    these read a learned missing token in its place; it matters from three modalities on.

    Args:
        modalities: M.
        width: d.
        gate: ``independent`` or ``softmax``.
    """

    def __init__(self, modalities: int, width: int, gate: Gate) -> None:
        super().__init__()
        self.slots = modalities > 2
        self.shared = modalities == 2 and gate == "independent"
        self.softmax = gate == "softmax"
        self.project = ModalityLinear(modalities, width)
        gates = 1 if self.shared else modalities
        self.gate = nn.Linear(modalities * width, gates * width, bias=False) if modalities > 1 else None

    def gates(self, h: Tensor, present: Tensor) -> Tensor:
        """(B,M,d) z, zero where absent."""
        if self.gate is None:
            return torch.ones_like(h)
        logits: Tensor = self.gate(h.flatten(1)).unflatten(1, (-1, h.shape[-1]))
        here = present[..., None]
        if self.shared:  # (σ(a), 1 − σ(a)) is the softmax of (a, 0)
            return masked_softmax(torch.cat([logits, torch.zeros_like(logits)], 1), here, 1)
        return masked_softmax(logits, here, 1) if self.softmax else logits.sigmoid() * here

    def forward(self, h: Tensor, present: Tensor) -> Tensor:
        t: Tensor = self.project(h).tanh()
        return (self.gates(h, present) * t).sum(1)


def gmu(task: Task, *, gate: Gate = "independent", width: Width = 64, hidden: Hidden = 64) -> Fused:
    """``GatedUnit`` between encoders and a head.

    Args:
        task: to be done.
        gate: whether gates of three or more modalities are ``independent`` or a ``softmax``.
        width: d of the encoders.
        hidden: width of the head's hidden layer, 0 for none.
    """
    return Fused(task, GatedUnit(len(task.modalities), width, gate), width, hidden)
