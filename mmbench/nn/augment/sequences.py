"""Augmentations along time. Each says which frames of a sample are to be seen, and where."""

from dataclasses import replace
from math import pi
from typing import Annotated, ClassVar

import torch
from torch import Tensor

from mmbench.core.modality import Modality
from mmbench.core.parameters import Range
from mmbench.core.task import Task
from mmbench.nn.augment.base import Augmentation, Share, frames, like, whole
from mmbench.nn.records import Inputs


class Resampled(Augmentation):
    """Puts other frames of a sample in the place of each.

    Attributes:
        shortens: whether samples become shorter, and their times go with the frames.
    """

    shortens: ClassVar[bool] = False

    @classmethod
    def fits(cls, modality: Modality) -> bool:
        return modality.kind in ("sequence", "spectrogram")

    def positions(self, steps: Tensor, length: Tensor, draws: Tensor) -> tuple[Tensor, Tensor]:
        """Which frame stands at each place, and how many places there are.

        Args:
            steps: (T,) float32: 0, 1, …
            length: (B,1) float32, at least 1.
            draws: (B,draws,1) float32 in [0,1).

        Returns:
            (B,T) float32, of which those from 0 to length - 1 are used, between frames too; and (B,1)
            float32 from 1 to ``length``.
        """
        raise NotImplementedError

    def change(self, inputs: Inputs, modality: Modality, chosen: Tensor, draws: Tensor) -> Inputs:
        name, values = modality.name, inputs.values[modality.name]
        axis = 1 if modality.timed else -1
        moved = values.movedim(axis, 1)
        steps = torch.arange(moved.shape[1], device=values.device, dtype=torch.float32)
        length = frames(inputs, modality)
        place, new = self.positions(steps, length[:, None].float(), draws[..., None])
        place = torch.minimum(place.clamp(min=0), length[:, None].float() - 1)
        real = chosen[:, None] & (steps < new)
        seen = torch.where(like(real, moved), frames_at(moved, place), moved.new_zeros(()))
        found = torch.where(like(chosen, moved), seen, moved).movedim(1, axis)
        inputs = replace(inputs, values={**inputs.values, name: found})
        if not self.shortens:
            return inputs
        lengths = torch.where(chosen, new[:, 0].long(), length)
        times = dict(inputs.times)
        if name in times:
            times[name] = torch.where(chosen[:, None], frames_at(times[name], place) * real, times[name])
        return replace(inputs, lengths={**inputs.lengths, name: lengths}, times=times)


def frames_at(values: Tensor, place: Tensor) -> Tensor:
    """Frames at some places, interpolated linearly between two.

    Args:
        values: (B,T,…).
        place: (B,S) float32 from 0 to T - 1; whole numbers where ``values`` are integers.

    Returns:
        (B,S,…).
    """
    flat = values.reshape(*values.shape[:2], -1)
    below = place.floor()

    def pick(index: Tensor) -> Tensor:
        return flat.gather(1, index.long()[..., None].expand(-1, -1, flat.shape[2]))

    found = pick(below)
    if values.is_floating_point():
        between = (place - below)[..., None].to(values.dtype)
        found = found + between * (pick(place.ceil()) - found)
    return found.reshape(*place.shape, *values.shape[2:])


class Shift(Resampled):
    """Later or earlier by whole frames; the first or the last frame fills what is left.

    Args:
        share: of the length, at most; at least one frame can be moved by.
    """

    acts_on = "sequences and spectrograms"
    draws = 1

    def __init__(
        self, task: Task, *, share: Annotated[float, Range(0.001, 0.9)] = 0.1, p: Share = 1.0, only: str = ""
    ) -> None:
        super().__init__(task, p, only)
        self.share = share

    def positions(self, steps: Tensor, length: Tensor, draws: Tensor) -> tuple[Tensor, Tensor]:
        most = (self.share * length).ceil()
        return steps - (whole(draws[:, 0], 2 * most + 1) - most), length


class TimeWarp(Resampled):
    """Another tempo at each place, which changes smoothly; the first and the last frame stay.

    At place u in [0,1] stands what was at u + Σ a_k sin(kπu)/(kπ), k = 1, 2, whose slope is positive.

    Args:
        strength: the tempo changes by this share at most.
    """

    acts_on = "sequences and spectrograms"
    draws = 2

    def __init__(
        self, task: Task, *, strength: Annotated[float, Range(0.001, 0.9)] = 0.3, p: Share = 0.5, only: str = ""
    ) -> None:
        super().__init__(task, p, only)
        self.strength = strength

    def positions(self, steps: Tensor, length: Tensor, draws: Tensor) -> tuple[Tensor, Tensor]:
        last = (length - 1).clamp(min=1)
        u = (steps / last).clamp(max=1)
        for k in (1, 2):
            strength = (2 * draws[:, k - 1] - 1) * self.strength / 2
            u = u + strength * torch.sin(k * pi * (steps / last).clamp(max=1)) / (k * pi)
        return u * (length - 1), length


class Stride(Resampled):
    """Every second frame, from a random one of the first two: half the length.

    Args:
        step: every how many frames one is kept.
        vary: whether each sample's step is drawn from 1 to ``step``.
    """

    acts_on = "sequences"
    draws = 2
    shortens = True

    def __init__(
        self,
        task: Task,
        *,
        step: Annotated[int, Range(2, 100)] = 2,
        vary: bool = False,
        p: Share = 0.5,
        only: str = "",
    ) -> None:
        super().__init__(task, p, only)
        self.step, self.vary = step, vary

    @classmethod
    def fits(cls, modality: Modality) -> bool:
        return modality.kind == "sequence"

    def positions(self, steps: Tensor, length: Tensor, draws: Tensor) -> tuple[Tensor, Tensor]:
        step = torch.full_like(length, self.step)
        if self.vary:
            step = 1 + whole(draws[:, 1], step)
        phase = whole(draws[:, 0], torch.minimum(step, length))  # shorter samples have a frame too
        return phase + step * steps, ((length - phase) / step).ceil()


class CropTime(Resampled):
    """A random part without gaps; samples become shorter.

    Args:
        least: the shortest part, as a share of the length.
    """

    acts_on = "sequences and tokens"
    draws = 2
    shortens = True

    def __init__(
        self, task: Task, *, least: Annotated[float, Range(0.01, 0.99)] = 0.7, p: Share = 0.5, only: str = ""
    ) -> None:
        super().__init__(task, p, only)
        self.least = least

    @classmethod
    def fits(cls, modality: Modality) -> bool:
        return modality.timed

    def positions(self, steps: Tensor, length: Tensor, draws: Tensor) -> tuple[Tensor, Tensor]:
        shortest = torch.minimum((self.least * length).ceil().clamp(min=1), length)
        kept = shortest + whole(draws[:, 0], length - shortest + 1)
        return whole(draws[:, 1], length - kept + 1) + steps, kept
