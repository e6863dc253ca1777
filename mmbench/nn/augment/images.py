"""Augmentations of images, and of videos, whose frames all change alike."""

from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor

from mmbench.core.modality import Modality
from mmbench.core.parameters import Range
from mmbench.core.task import Task
from mmbench.nn.augment.base import Augmentation, Share, is_picture, like, whole
from mmbench.nn.augment.sequences import frames_at

Degrees = Annotated[float, Range(0.1, 180)]
Change = Annotated[float, Range(0.001, 0.9)]


class OfPictures(Augmentation):
    """Acts on the last two axes (H,W) of values (B,C,H,W) and (B,T,C,H,W)."""

    acts_on = "images and videos"

    @classmethod
    def fits(cls, modality: Modality) -> bool:
        return is_picture(modality)


class Flip(OfPictures):
    """Mirrored left to right."""

    def __init__(self, task: Task, *, p: Share = 0.5, only: str = "") -> None:
        super().__init__(task, p, only)

    def changed(self, values: Tensor, modality: Modality, length: Tensor, draws: Tensor) -> Tensor:
        return values.flip(-1)


class Crop(OfPictures):
    """Padded with zeros on all sides, and a part of the old size cut out: moved by whole pixels.

    Args:
        share: of the side, at most; at least one pixel can be moved by.
    """

    draws = 2

    def __init__(self, task: Task, *, share: Change = 0.1, p: Share = 1.0, only: str = "") -> None:
        super().__init__(task, p, only)
        self.share = share

    def changed(self, values: Tensor, modality: Modality, length: Tensor, draws: Tensor) -> Tensor:
        for number, axis in enumerate((-2, -1)):
            draw = draws[:, number]
            most = torch.full_like(draw, self.share * values.shape[axis]).ceil()
            values = moved(values, axis, whole(draw, 2 * most + 1) - most)
        return values


def moved(values: Tensor, axis: int, by: Tensor) -> Tensor:
    """Values (B,…) moved along an axis by whole numbers (B,), positive to the end; zero where bare."""
    first = values.movedim(axis, 1)
    place = torch.arange(first.shape[1], device=values.device) - by[:, None]
    inside = (place >= 0) & (place < first.shape[1])
    seen = frames_at(first, place.clamp(0, first.shape[1] - 1))
    return (seen * like(inside, seen)).movedim(1, axis)


class Warp(OfPictures):
    """Rotated and scaled about the centre, in one bilinear interpolation; zero from outside.

    Args:
        degrees: largest rotation, to either side.
        change: largest relative change of the size, up or down.
    """

    draws = 2

    def __init__(
        self, task: Task, *, degrees: Degrees = 15.0, change: Change = 0.2, p: Share = 1.0, only: str = ""
    ) -> None:
        super().__init__(task, p, only)
        self.degrees, self.size = degrees, change

    def changed(self, values: Tensor, modality: Modality, length: Tensor, draws: Tensor) -> Tensor:
        angle, factor = (2 * draws[:, 0] - 1) * self.degrees, 1 + (2 * draws[:, 1] - 1) * self.size
        return warped(values, torch.deg2rad(angle), factor)


class Rotate(Warp):
    """Rotated about the centre.

    Args:
        degrees: at most, to either side.
    """

    def __init__(self, task: Task, *, degrees: Degrees = 15.0, p: Share = 1.0, only: str = "") -> None:
        super().__init__(task, degrees=degrees, p=p, only=only)
        self.size = 0.0


class Scale(Warp):
    """Enlarged or shrunk about the centre.

    Args:
        change: relative, at most: 0.2 for sizes from 0.8 to 1.2.
    """

    def __init__(self, task: Task, *, change: Change = 0.2, p: Share = 1.0, only: str = "") -> None:
        super().__init__(task, change=change, p=p, only=only)
        self.degrees = 0.0


def warped(values: Tensor, angle: Tensor, factor: Tensor) -> Tensor:
    """Pictures rotated and enlarged about their centre.

    Args:
        values: (B,…,H,W).
        angle: (B,) float32 radians, counter-clockwise.
        factor: (B,) float32; above 1 enlarges.

    Returns:
        (B,…,H,W), zero where it shows what lies outside.
    """
    height, width = values.shape[-2:]
    kind = torch.promote_types(values.dtype, torch.float32)  # half precision cannot name a pixel
    y = torch.arange(height, device=values.device, dtype=kind)[:, None] + 0.5 - height / 2
    x = torch.arange(width, device=values.device, dtype=kind) + 0.5 - width / 2
    cos, sin = ((f(angle) / factor).to(kind)[:, None, None] for f in (torch.cos, torch.sin))
    # where a pixel comes from, in the units of `grid_sample`: -1 and 1 are the edges
    grid = torch.stack([(x * cos - y * sin) * (2 / width), (x * sin + y * cos) * (2 / height)], -1)
    flat = values.reshape(len(values), -1, height, width).to(kind)
    return F.grid_sample(flat, grid, align_corners=False).reshape(values.shape).to(values.dtype)
