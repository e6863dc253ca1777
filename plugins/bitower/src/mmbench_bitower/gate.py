"""A conditional random field over modalities: how sure to be of each, given all."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Inference = Literal["exact", "mean-field"]

ENUMERATED = 10  # units whose 2^M states are summed over
STEPS = 10  # of mean field


def assignments(units: int) -> Tensor:
    """(2^M,M) float: every b in {0,1}^M."""
    return (torch.arange(2**units)[:, None] >> torch.arange(units) & 1).float()


def exact(unary: Tensor, coupling: Tensor, present: Tensor, states: Tensor) -> Tensor:
    """Marginals P(b_m=1) of P(b) ∝ exp(Σ_m u_m b_m + Σ_{m<n} J_mn b_m b_n), b_m = 0 where m is absent.

    Args:
        unary: (B,M) u.
        coupling: (B,M,M) J, symmetric; its diagonal is not read.
        present: (B,M) bool.
        states: (2^M,M) all b.

    Returns:
        (B,M), zero where absent.
    """
    pairs = (states[:, :, None] * states[:, None, :]).triu(1).flatten(1)
    energy = unary @ states.T + coupling.flatten(1) @ pairs.T
    impossible = (~present).to(states.dtype) @ states.T > 0
    return energy.masked_fill(impossible, -torch.inf).softmax(-1) @ states


def mean_field(unary: Tensor, coupling: Tensor, present: Tensor, steps: int = STEPS) -> Tensor:
    """The same, approximately: q_m ← σ(u_m + Σ_{n≠m} J_mn q_n), all at once, from q_m = σ(u_m). -> (B,M)."""
    here = present.to(unary.dtype)
    coupling = coupling * (1 - torch.eye(unary.shape[-1], dtype=unary.dtype, device=unary.device))
    q = unary.sigmoid() * here
    for _ in range(steps):
        q = (unary + (coupling @ q[..., None])[..., 0]).sigmoid() * here
    return q


def keep_top(share: Tensor, top: int) -> Tensor:
    """(B,M) shares: the ``top`` ≤ M largest of each row scaled to sum 1, the others zero; their gradient is passed on
    as if nothing had been done (straight-through)."""
    largest = share.topk(top, -1).indices
    kept = share * torch.zeros_like(share).scatter(-1, largest, 1.0)
    kept = kept / kept.sum(-1, keepdim=True).clamp(min=1e-12)
    return share + (kept - share).detach()


class Gate(nn.Module):
    """Confidences c_m = P(b_m=1), with u_m = w_mᵀr_m and J_mn = κ cos(r_m, r_n), w and κ learned.

    Args:
        units: M, at least 2.
        width: d.
        inference: ``exact`` enumerates up to 10 units (more go by mean field), ``mean-field`` never does.

    Shapes:
        (B,M,d), (B,M) bool -> (B,M), zero where absent.
    """

    states: Tensor | None

    def __init__(self, units: int, width: int, inference: Inference = "exact") -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(units, width) / width**0.5)
        self.strength = nn.Parameter(torch.ones(()))  # κ
        enumerated = inference == "exact" and units <= ENUMERATED
        self.register_buffer("states", assignments(units) if enumerated else None)

    def forward(self, r: Tensor, present: Tensor) -> Tensor:
        unary = (r * self.weight).sum(-1)
        direction = F.normalize(r, dim=-1)
        coupling = self.strength * direction @ direction.transpose(-1, -2)
        if self.states is None:
            return mean_field(unary, coupling, present)
        return exact(unary, coupling, present, self.states)
