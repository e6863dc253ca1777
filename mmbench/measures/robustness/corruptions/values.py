"""Corruptions of single numbers."""

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

NOISE = 2.0  # deviation at level 1, in units of the train split's


def noise(values: Tensor, size: Tensor, level: float, rng: Generator) -> Tensor:
    """Gaussian noise, independent in every number, of deviation 2·level of standardised values."""
    drawn = torch.from_numpy(rng.standard_normal(tuple(values.shape), dtype=np.float32))
    return values + NOISE * level * drawn.to(values)


def dropout(values: Tensor, size: Tensor, level: float, rng: Generator) -> Tensor:
    """Each number is zero, the train split's mean, with probability ``level``; each token the id 0."""
    drawn = torch.from_numpy(rng.random(tuple(values.shape), dtype=np.float32)).to(values.device)
    return torch.where(drawn < level, values.new_zeros(()), values)
