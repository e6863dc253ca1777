"""One level of the hierarchy: the modalities at one stage of their encoders."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmbench_dhcnn.attention import SelfAttention


class Level(nn.Module):
    """u_m = S(P_m v_m), then A = LN(U + MHA(U)) over the tokens u_m + e_m of the modalities.

    P_m is linear, S a ReLU MLP of two layers that all modalities share, e_m an embedding of the modality. Where m
    is absent, a learned token, zero at the start, is u_m, and no modality attends to it. A single
    modality has neither token nor e_m.

    Args:
        sizes: c_m of every modality.
        width: d.
        heads: of the attention.
    """

    missing: nn.Parameter | None
    modality: nn.Parameter | None

    def __init__(self, sizes: Sequence[int], width: int, heads: int) -> None:
        super().__init__()
        several = len(sizes) > 1
        self.project = nn.ModuleList(nn.Linear(size, width) for size in sizes)
        self.shared = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
        self.missing = nn.Parameter(torch.zeros(width)) if several else None
        self.modality = nn.Parameter(0.02 * torch.randn(len(sizes), width)) if several else None
        self.attend = SelfAttention(width, heads, alone=not several)
        self.norm = nn.LayerNorm(width)

    def embed(self, stages: Sequence[Tensor], present: Tensor) -> Tensor:
        """M times (B,c_m), and (B,M) bool -> U (B,M,d), row m of modality m alone."""
        projected = [project(stage) for project, stage in zip(self.project, stages, strict=True)]
        u: Tensor = self.shared(torch.stack(projected, 1))
        return u if self.missing is None else torch.where(present[..., None], u, self.missing)

    def forward(self, u: Tensor, present: Tensor) -> Tensor:
        """U (B,M,d), (B,M) bool -> A (B,M,d)."""
        tokens = u if self.modality is None else u + self.modality
        out: Tensor = self.norm(tokens + self.attend(tokens, present))
        return out
