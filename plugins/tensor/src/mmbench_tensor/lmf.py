"""Low-rank multimodal fusion: tensor fusion whose weights are a sum of few outer products."""

from functools import reduce
from math import sqrt
from typing import Annotated

import torch
from torch import Tensor, nn

from mmbench import FusionModel, FusionOutput, Head, Inputs, ModalityEncoders, Range, Task


class LowRankProduct(nn.Module):
    """y = Σ_r w_r ∏_m ([1; h_m]ᵀ F^r_m) + b (after Liu et al. 2018, arXiv:1806.00064).

    It equals b + W · (⊗_m [1; h_m]) with W = Σ_r w_r ⊗_m F^r_m, of which (d+1)^M · D entries are never formed.

    At the start the row of F^r_m that belongs to the 1 is 1, the others are N(0, 1/(dM)): for h_m of unit variance
    a factor is 1 + N(0, 1/M), and their product has mean 1 and variance (1 + 1/M)^M − 1 < e − 1, for any M.

    Args:
        modalities: M.
        width: d.
        size: D.
        rank: number of outer products.

    Shapes:
        (B,M,d) -> (B,D).
    """

    def __init__(self, modalities: int, width: int, size: int, rank: int) -> None:
        super().__init__()
        self.rank = rank
        self.slope = nn.Parameter(torch.randn(modalities, width, rank * size) / sqrt(width * modalities))
        self.offset = nn.Parameter(torch.ones(modalities, 1, rank * size))
        self.weight = nn.Parameter(torch.full((rank,), 1 / sqrt(rank)))
        self.bias = nn.Parameter(torch.zeros(size))

    def forward(self, h: Tensor) -> Tensor:
        factors = torch.baddbmm(self.offset, h.transpose(0, 1), self.slope)  # (M,B,RD)
        product = reduce(torch.mul, factors.unbind(0))
        return torch.einsum("brd,r->bd", product.reshape(len(h), self.rank, -1), self.weight) + self.bias


class Lmf(FusionModel):
    """ŷ = head(y), y the low-rank product of all h_m = E_m(x_m), or of a learned missing token where m is absent.

    Args:
        task: to be done.
        rank: number of outer products that make up the weights.
        width: d of every h_m, and of y.
        hidden: width of the head's hidden layer; 0 makes it one linear layer of y.
    """

    def __init__(
        self,
        task: Task,
        *,
        rank: Annotated[int, Range(1, 32, log=True)] = 4,
        width: Annotated[int, Range(8, 512, log=True)] = 64,
        hidden: Annotated[int, Range(0, 512)] = 64,
    ) -> None:
        super().__init__()
        self.encode = ModalityEncoders(task, width)
        self.product = LowRankProduct(len(task.modalities), width, width, rank)
        self.head = Head(task, width, hidden)

    def forward(self, inputs: Inputs) -> FusionOutput:
        encoded = self.encode(inputs)
        fused = self.product(encoded.stack())
        return FusionOutput(prediction=self.head(fused), embeddings=encoded.vectors, fused=fused)
