"""Multimodal fully connected layer."""

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmbench import Task
from mmbench_pooling.model import Fused, Fuser, Hidden, Width

Activation = Literal["relu", "sigmoid", "tanh"]
ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}


class MultimodalFC(Fuser):
    """f̂ = σ([h_1 ‖ … ‖ h_M] W + b) = σ(Σ_m h_m W_m + b), a learned missing token where m is absent.

    Args:
        modalities: M.
        width: d.
        activation: σ.
    """

    slots = True

    def __init__(self, modalities: int, width: int, activation: Activation) -> None:
        super().__init__()
        self.layer = nn.Linear(modalities * width, width)
        self.activation = activation

    def forward(self, h: Tensor, present: Tensor) -> Tensor:
        return ACTIVATIONS[self.activation](self.layer(h.flatten(1)))


def multimodal_fc(task: Task, *, activation: Activation = "relu", width: Width = 64, hidden: Hidden = 64) -> Fused:
    """``MultimodalFC`` between encoders and a head.

    Args:
        task: to be done.
        activation: σ of the layer.
        width: d of the encoders and of the layer.
        hidden: width of the head's hidden layer, 0 for none.
    """
    return Fused(task, MultimodalFC(len(task.modalities), width, activation), width, hidden)
