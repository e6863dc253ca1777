"""Non-local block: every frame looks at all frames of all modalities."""

from math import sqrt

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class NonLocal(nn.Module):
    """Z = X + s LN(W_o Y) + b, Y = softmax(θ(X̃) φ(X̃)ᵀ / √d') g(X̃), X̃ = LN(X) + P, d' = d/2.

    After Wang et al. 2018 (arXiv:1711.07971), with frames in place of positions in space and time.
    The outer LN stands where they have a BatchNorm, whose statistics would be taken over frames
    that may be absent. Its learned scale s starts at ``scale``; theirs starts at 0, which makes the
    block the identity. The inner LN brings contents to the scale of P, which otherwise outweighs
    them, so that frames are compared by content much later. P is in the comparison, and in what is
    fetched, but not in Z itself.

    Args:
        width: d.
        scale: s at the start.

    Shapes:
        x (B,N,d), P (1 or B,N,d), mask (B,N) bool, true at least once in a row -> (B,N,d).
    """

    def __init__(self, width: int, scale: float) -> None:
        super().__init__()
        self.inner = max(width // 2, 1)
        self.project = nn.Linear(width, 3 * self.inner, bias=False)  # θ, φ and g
        self.leave = nn.Linear(self.inner, width, bias=False)  # W_o
        self.norm = nn.LayerNorm(width)
        nn.init.constant_(self.norm.weight, scale)

    def forward(self, x: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
        query, key, value = self.project(level(x) + positions).chunk(3, -1)
        out: Tensor = x + self.norm(self.leave(attend(query, key, value, mask)))
        return out


def level(x: Tensor) -> Tensor:
    """LayerNorm without parameters, (…,d) -> (…,d)."""
    return F.layer_norm(x, x.shape[-1:])


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """softmax(Q Kᵀ/√d') V over the true keys.

    Written out, since torch's own has no rule for all seeds at once on a CPU.

    Shapes:
        (B,Q,d'), (B,N,d'), (B,N,d'), mask (B,1 or Q,N) or (B,N) bool -> (B,Q,d').
    """
    allowed = mask[:, None] if mask.dim() == 2 else mask
    scores = (query / sqrt(query.shape[-1])) @ key.transpose(-1, -2)
    return torch.where(allowed, scores, -torch.inf).softmax(-1) @ value
