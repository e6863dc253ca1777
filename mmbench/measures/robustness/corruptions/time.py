"""Corruptions along time: of sequences (B,T,…), and of spectrograms (B,C,H,W), whose last axis it is."""

from math import sqrt

import torch
from numpy.random import Generator
from torch import Tensor

from mmbench.measures.robustness.corruptions.base import span, uniform
from mmbench.nn.augment.base import like
from mmbench.nn.augment.images import moved
from mmbench.nn.augment.sequences import frames_at

LAG = 0.25  # of the length, at level 1
JITTER = 4.0  # frames by which a frame's time is off at most, at level 1
SPECTROGRAM = 4  # axes of its values


def frames(values: Tensor, size: Tensor, level: float, rng: Generator) -> Tensor:
    """One block of frames without gaps is zero: ``level`` of the length, in expectation."""
    axis = -1 if values.dim() == SPECTROGRAM else 1
    timed = values.movedim(axis, 1)
    gone = like(span(size, level, timed.shape[1], rng), timed)
    return torch.where(gone, timed.new_zeros(()), timed).movedim(1, axis)


def lag(values: Tensor, size: Tensor, level: float, rng: Generator) -> Tensor:
    """Later by ``level`` × a quarter of the length, in whole frames; zeros move in, and the end is lost."""
    return moved(values, 1, (level * LAG * size + 0.5).floor())


def jitter(values: Tensor, size: Tensor, level: float, rng: Generator) -> Tensor:
    """Frames in the order of times that are off by up to ±4·level frames, uniformly."""
    steps = torch.arange(values.shape[1], device=values.device)
    off = JITTER * level * (2 * uniform(rng, size, values.shape[1]) - 1)
    time = torch.where(steps < size[:, None], steps + off, steps + JITTER + 1)  # padding stays last
    return frames_at(values, time.argsort(dim=1, stable=True).float())


def masks(values: Tensor, size: Tensor, level: float, rng: Generator) -> Tensor:
    """One band of times and one of frequencies are zero, each the same share of its axis; together they cover
    ``level`` of the spectrogram, in expectation (after SpecAugment, Park et al. 2019, arXiv:1904.08779, §2)."""
    height, width = values.shape[-2:]
    share = 1 - sqrt(1 - level)
    times = span(size, share, width, rng)
    bands = span(torch.full_like(size, height), share, height, rng)
    gone = (times[:, None, :] | bands[:, :, None])[:, None]
    return torch.where(gone, values.new_zeros(()), values)
