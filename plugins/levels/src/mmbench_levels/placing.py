"""Placing one modality on the common grid: flattening, resampling in time, resizing in space."""

from math import isclose

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmbench import Modality
from mmbench_levels.grid import Grid


def flatten(values: Tensor, lengths: Tensor | None, modality: Modality, dtype: torch.dtype) -> Tensor:
    """(B,*shape) -> (B,D); tokens (B,T) -> (B,V) counts of words, padding not counted."""
    if modality.kind != "tokens":
        return values.flatten(1)
    real = values > 0
    if lengths is not None:
        real = real & (torch.arange(values.shape[1], device=values.device) < lengths[:, None])
    counts = torch.zeros(len(values), modality.vocabulary, dtype=dtype, device=values.device)
    return counts.scatter_add(1, values, real.to(dtype))


class Placing(nn.Module):
    """One modality onto the grid, its channels kept.

    A frame of the grid at t/r seconds lies at u = t·r_m/r frames of the modality, and takes the
    linear interpolation of frames ⌊u⌋ and ⌊u⌋+1; past the centre of the last frame that one is
    held, and from u ≥ length on there is nothing: zeros. Images are resized bilinearly, vectors
    repeated. What is on the grid already passes untouched.

    Args:
        view: the modality (flattened where the grid is a vector).
        grid: to place it on.

    Shapes:
        (B,*shape), (B,) -> (B,C), (B,C,H,W), (B,T,C) or (B,T,C,H,W), and (B,T) bool or None:
        where a sequence has frames.
    """

    low: Tensor
    fraction: Tensor

    def __init__(self, view: Modality, grid: Grid) -> None:
        super().__init__()
        self.view, self.grid = view, grid
        if view.kind == "sequence":
            ratio = view.rate / grid.rate
            self.same_clock = view.shape[0] == grid.steps and isclose(ratio, 1.0)
            at = [round(t * (1.0 if self.same_clock else ratio), 6) for t in range(grid.steps)]
            self.register_buffer("low", torch.tensor([int(u) for u in at]))
            self.register_buffer("fraction", torch.tensor([u - int(u) for u in at]))

    def forward(self, values: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        real = None
        if self.view.kind == "sequence":
            if lengths is None:
                lengths = torch.full((len(values),), self.view.shape[0], device=values.device)
            real = self.low < lengths[:, None]
            values = values if self.same_clock else self._in_time(values, lengths)
        elif self.grid.kind == "sequence":
            values = values[:, None].expand(-1, self.grid.steps, -1)
        values = self._in_space(values)
        if real is not None:
            values = torch.where(_trailing(real, values), values, values.new_zeros(()))
        return values, real

    def _in_time(self, values: Tensor, lengths: Tensor) -> Tensor:
        last = lengths[:, None] - 1

        def frames(index: Tensor) -> Tensor:
            index = _trailing(torch.minimum(index, last), values)
            return values.gather(1, index.expand(-1, -1, *values.shape[2:]))

        fraction = self.fraction.to(values.dtype).reshape(-1, *[1] * (values.dim() - 2))
        return torch.lerp(frames(self.low), frames(self.low + 1), fraction)

    def _in_space(self, values: Tensor) -> Tensor:
        size = self.grid.size
        if not size or (values.shape[-2:] == size and len(self.view.shape) > 2):
            return values
        if len(self.view.shape) < 3:  # no image: the same at every pixel
            return values[..., None, None].expand(*values.shape, *size)
        images = values if values.dim() == 4 else values.flatten(0, 1)
        resized = F.interpolate(images, size, mode="bilinear", align_corners=False)
        return resized.reshape(*values.shape[:-2], *size)


def _trailing(x: Tensor, like: Tensor) -> Tensor:
    """x with axes of size 1 added at its end, to the rank of ``like``."""
    return x.reshape(*x.shape, *[1] * (like.dim() - x.dim()))
