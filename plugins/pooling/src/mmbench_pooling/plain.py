"""Fusers without parameters: elementwise maximum and mean."""

from typing import Literal

import torch
from torch import Tensor

from mmbench import Task, masked_mean
from mmbench_pooling.model import Fused, Fuser, Hidden, Width


class Max(Fuser):
    """f̂ = max_m h_m, elementwise, over those present."""

    def forward(self, h: Tensor, present: Tensor) -> Tensor:
        return h.masked_fill(~present[..., None], -torch.inf).amax(1)


class Mean(Fuser):
    """f̂ = the mean of the h_m present."""

    def forward(self, h: Tensor, present: Tensor) -> Tensor:
        return masked_mean(h, present)


def plain(task: Task, *, rule: Literal["max", "mean"] = "max", width: Width = 64, hidden: Hidden = 64) -> Fused:
    """``Max`` or ``Mean`` between encoders and a head.

    Args:
        task: to be done.
        rule: which of them.
        width: d of the encoders.
        hidden: width of the head's hidden layer, 0 for none.
    """
    return Fused(task, Max() if rule == "max" else Mean(), width, hidden)
