"""Tensor fusion network: modalities meet in their outer product."""

from functools import reduce
from math import floor
from typing import Annotated

import torch
from torch import Tensor, nn

from mmbench import FusionModel, FusionOutput, Head, Inputs, ModalityEncoders, Range, Task


class Tfn(FusionModel):
    """ŷ = head([1; z_1] ⊗ … ⊗ [1; z_M]), z_m = tanh(W_m h_m + b_m), h_m = E_m(x_m) (after Zadeh et al. 2017,
    arXiv:1707.07250).

    The product has (k+1)^M entries, k the width of every z_m: ``narrow``, or as much of it as keeps them at most
    ``size``. With the defaults k is 32, 32, 15, 7, 4, 3, 2, 1, 1, 1 for M = 1 … 10. tanh keeps a product of ten
    factors bounded. Where m is absent, h_m is a learned missing token.

    Args:
        task: to be done.
        narrow: largest width of every z_m.
        size: largest number of entries of the product.
        width: d of every h_m.
        hidden: width of the head's hidden layer; 0 makes it one linear layer of the product.
    """

    def __init__(
        self,
        task: Task,
        *,
        narrow: Annotated[int, Range(2, 128, log=True)] = 32,
        size: Annotated[int, Range(1024, 65536, log=True)] = 4096,
        width: Annotated[int, Range(8, 512, log=True)] = 64,
        hidden: Annotated[int, Range(0, 512)] = 64,
    ) -> None:
        super().__init__()
        modalities = len(task.modalities)
        narrow = min(narrow, largest_width(size, modalities))
        self.encode = ModalityEncoders(task, width)
        self.narrow = nn.ModuleList(nn.Linear(width, narrow) for _ in task.modalities)
        self.head = Head(task, (narrow + 1) ** modalities, hidden)

    def forward(self, inputs: Inputs) -> FusionOutput:
        vectors = self.encode(inputs).vectors
        factors = [narrow(h).tanh() for narrow, h in zip(self.narrow, vectors.values(), strict=True)]
        fused = outer_product(factors)
        return FusionOutput(prediction=self.head(fused), embeddings=vectors, fused=fused)


def outer_product(factors: list[Tensor]) -> Tensor:
    """⊗_m [1; z_m] of M factors (B,k_m), flattened with the last changing fastest: (B, Π_m (k_m + 1))."""
    ones = factors[0].new_ones(len(factors[0]), 1)
    extended = [torch.cat([ones, factor], 1) for factor in factors]
    return reduce(lambda x, y: (x[:, :, None] * y[:, None]).flatten(1), extended)


def largest_width(size: int, modalities: int) -> int:
    """The largest k ≥ 1 for which (k+1)^M is at most ``size``."""
    k = floor(size ** (1 / modalities))  # the root may come out just below a whole number
    return (k if (k + 1) ** modalities <= size else k - 1) or 1
