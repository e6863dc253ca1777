"""Corruptions of images (B,C,H,W)."""

from math import floor, sqrt

import numpy as np
import torch
from numpy.random import Generator
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from mmbench.measures.robustness.corruptions.base import uniform
from mmbench.nn.augment.base import whole

BLUR = 1 / 8  # deviation at level 1, of the shorter side


def blur(values: Tensor, size: Tensor, level: float, rng: Generator) -> Tensor:
    """Gaussian blur of deviation ``level`` × an eighth of the shorter side; what lies outside is as the edge."""
    height, width = values.shape[-2:]
    deviation = level * BLUR * min(height, width)
    down, across = (_smoothing(side, deviation).to(values) for side in (height, width))
    return down @ values @ across.T


def _smoothing(side: int, deviation: float) -> Tensor:
    """(side,side): the matrix that smooths a column."""
    return torch.from_numpy(gaussian_filter1d(np.eye(side), deviation, axis=0, mode="nearest"))


def occlusion(values: Tensor, size: Tensor, level: float, rng: Generator) -> Tensor:
    """A rectangle in the picture's own proportions is zero at a random place: ``level`` of the area, its sides
    rounded to whole pixels."""
    gone = torch.ones(len(values), 1, 1, dtype=torch.bool, device=values.device)
    for draw, axis in zip(uniform(rng, values, 2).unbind(1), (-2, -1), strict=True):
        side = values.shape[axis]
        covered = floor(sqrt(level) * side + 0.5)
        start = whole(draw, torch.full_like(draw, side - covered + 1))[:, None]
        place = torch.arange(side, device=values.device)
        gone = gone & ((place >= start) & (place < start + covered)).unsqueeze(-1 if axis == -2 else -2)
    return torch.where(gone[:, None], values.new_zeros(()), values)
