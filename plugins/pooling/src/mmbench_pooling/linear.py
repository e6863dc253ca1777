"""A linear map a modality, all of them in one kernel."""

from math import sqrt

import torch
from torch import Tensor, nn


class ModalityLinear(nn.Module):
    """f_m = W_m h_m, without bias; W_m starts as the weight of a ``nn.Linear`` does.

    Shapes:
        (B,M,d) -> (B,M,d).
    """

    def __init__(self, modalities: int, width: int) -> None:
        super().__init__()
        bound = 1 / sqrt(width)
        self.weight = nn.Parameter(torch.empty(modalities, width, width).uniform_(-bound, bound))

    def forward(self, h: Tensor) -> Tensor:
        return torch.einsum("bmi,moi->bmo", h, self.weight)
