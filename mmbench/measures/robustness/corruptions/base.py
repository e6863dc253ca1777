"""What all corruptions share: what they are given, and what they must leave as it is."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from mmbench.core.modality import Kind, Modality
from mmbench.core.task import Task
from mmbench.nn.augment.base import frames, like, whole
from mmbench.nn.records import Inputs

Change = Callable[[Inputs, Modality, float, Generator], Inputs]
OfValues = Callable[[Tensor, Tensor, float, Generator], Tensor]


@dataclass(frozen=True)
class Corruption:
    """A way to spoil one modality, from level 0, which leaves it as it is, to level 1, the end of its scale.

    Args:
        name: of it.
        kinds: of modality that it fits.
        change: inputs, modality, level above 0, draws -> inputs in which that modality alone is another tensor.
        drawn: whether it depends on the draws.
        joint: whether it also strikes all modalities at once, where it fits all.
        alone: whether it means anything for a task of one modality.
    """

    name: str
    kinds: tuple[Kind, ...]
    change: Change
    drawn: bool = True
    joint: bool = False
    alone: bool = True

    def fitting(self, task: Task) -> tuple[Modality, ...]:
        """The modalities of a task that it can strike."""
        if len(task.modalities) == 1 and not self.alone:
            return ()
        return tuple(modality for modality in task.modalities if modality.kind in self.kinds)

    def strikes_all(self, task: Task) -> bool:
        """Whether it strikes several modalities at once."""
        return self.joint and 1 < len(task.modalities) == len(self.fitting(task))

    def __call__(self, inputs: Inputs, modality: Modality, level: float, rng: Generator) -> Inputs:
        """Inputs with one modality corrupted; all other tensors are the very same."""
        return self.change(inputs, modality, level, rng) if level > 0 else inputs


def on_values(function: OfValues) -> Change:
    """A corruption from a function of values (B,*shape), frames (B,), level and draws.

    Frames are those of a timed modality; of others, the size of the last axis, a spectrogram's time. What the
    function puts where a value is absent or padded is zero again.
    """

    def change(inputs: Inputs, modality: Modality, level: float, rng: Generator) -> Inputs:
        old = inputs.values[modality.name]
        new = function(old, frames(inputs, modality), level, rng)
        real = inputs.mask(modality.name) if modality.timed else inputs.here(modality.name)
        new = torch.where(like(real, old), new, old.new_zeros(()))
        return replace(inputs, values={**inputs.values, modality.name: new})

    return change


def merged(base: Inputs, parts: list[tuple[Modality, Inputs]]) -> Inputs:
    """The modalities of several inputs, each from its own, in those of ``base``."""
    values, lengths, times = dict(base.values), dict(base.lengths), dict(base.times)
    for modality, part in parts:
        for mine, others in ((values, part.values), (lengths, part.lengths), (times, part.times)):
            if modality.name in mine:
                mine[modality.name] = others[modality.name]
    return replace(base, values=values, lengths=lengths, times=times)


def uniform(rng: Generator, rows: Tensor, count: int) -> Tensor:
    """(B,count) float32 in [0,1), on the device of ``rows`` (B,…)."""
    return torch.from_numpy(rng.random((len(rows), count), dtype=np.float32)).to(rows.device)


def span(size: Tensor, share: float, steps: int, rng: Generator) -> Tensor:
    """(B,steps) bool: one block of places without gaps, anywhere among the first ``size`` (B,) of each row.

    It has ``share`` of them in expectation: what is left of a whole number is the chance of one more.
    """
    more, place = uniform(rng, size, 2).unbind(1)
    width = torch.minimum((share * size + more).floor(), size)
    start = whole(place, size - width + 1)[:, None]
    here = torch.arange(steps, device=size.device)
    return (here >= start) & (here < start + width[:, None])
