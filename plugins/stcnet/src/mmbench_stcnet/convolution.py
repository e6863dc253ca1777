"""Temporal convolutional network: weight-normed causal convolutions of growing dilation."""

from math import sqrt

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CausalConv(nn.Module):
    """y_t = b + Σ_i W_i x_{t-(k-1-i)δ}, W = g v/‖v‖ for each output channel: no frame sees a later one.

    Time is the last axis of an image one pixel high: where features lie side by side in memory
    (channels-last), convolutions of images need no copies.

    Args:
        incoming, width: channels.
        kernel, dilation: k and δ.

    Shapes:
        (B,incoming,1,T) -> (B,width,1,T).
    """

    def __init__(self, incoming: int, width: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.dilation, self.before = dilation, (kernel - 1) * dilation
        bound = 1 / sqrt(kernel * incoming)  # as torch draws the weights of a convolution
        self.direction = nn.Parameter(torch.empty(width, incoming, 1, kernel).uniform_(-bound, bound))
        self.length = nn.Parameter(self.direction.detach().flatten(1).norm(dim=1))
        # Not torch's draw: where channels are few and the signal small, the biases' signs kill whole layers.
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        factor = self.length / self.direction.flatten(1).norm(dim=1)
        weight = self.direction * factor[:, None, None, None]
        return F.conv2d(F.pad(x, (self.before, 0)), weight, self.bias, dilation=(1, self.dilation))


class TemporalBlock(nn.Module):
    """ReLU(r(x) + D(ReLU(c₂(D(ReLU(c₁(x))))))): c causal convolutions, D dropout, r 1x1 where widths differ.

    After Bai et al. 2018 (arXiv:1803.01271), figure 1.

    Shapes:
        (B,incoming,1,T) -> (B,width,1,T).
    """

    def __init__(self, incoming: int, width: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.first = CausalConv(incoming, width, kernel, dilation)
        self.second = CausalConv(width, width, kernel, dilation)
        self.residual = nn.Conv2d(incoming, width, 1) if incoming != width else nn.Identity()
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.dropout(F.relu(self.first(x)))
        inner = self.dropout(F.relu(self.second(inner)))
        return F.relu(self.residual(x) + inner)


class TemporalNetwork(nn.Module):
    """Blocks of dilation 1, 2, 4, …: a frame sees 1 + 2(k-1)(2^L - 1), itself the last of them.

    Args:
        incoming, width: channels.
        levels: L, the blocks.
        kernel: k.
        dropout: within the blocks.

    Shapes:
        (B,T,incoming) -> (B,T,width).
    """

    def __init__(self, incoming: int, width: int, levels: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.blocks = nn.Sequential()
        for level in range(levels):
            self.blocks.append(TemporalBlock(width if level else incoming, width, kernel, 2**level, dropout))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.blocks(x.transpose(1, 2)[:, :, None])
        return out[:, :, 0].transpose(1, 2)
