"""What all augmentations share: which modalities and which samples they act on."""

import re
from dataclasses import replace
from typing import Annotated, ClassVar

import torch
from torch import Tensor

from mmbench.core.errors import MmbenchError, did_you_mean
from mmbench.core.modality import Modality
from mmbench.core.parameters import Range
from mmbench.core.task import Task
from mmbench.nn.models import Term
from mmbench.nn.records import Inputs

Share = Annotated[float, Range(0.001, 1)]  # none at all would be a term without effect


class Augmentation(Term):
    """Changes some modalities of some samples in training, and nothing in evaluation.

    Draws come from torch's global stream. Those that say how a sample is changed are the same for all
    its modalities, so that what is aligned stays aligned; two terms with ``only`` draw apart.
    Absent modalities and padded frames stay zero, and labels as they are. What an estimator trains a
    model on under a modality's name in another shape is no longer that modality, and is left alone.

    Args:
        task: of the dataset.
        p: probability with which a sample is changed.
        only: names of the modalities to act on, joined by ``+``; empty for all of a fitting kind.

    Attributes:
        acts_on: the kinds of modality, in words.
        draws: how many uniform numbers say how a sample is changed.

    Raises:
        MmbenchError: if the task has no modality of a fitting kind, or ``only`` names another.
    """

    acts_on: ClassVar[str]
    draws: ClassVar[int] = 0

    def __init__(self, task: Task, p: float, only: str) -> None:
        super().__init__()
        self.p = p
        fitting = [modality for modality in task.modalities if self.fits(modality)]
        chosen = named(task, only, word(self))
        strange = [modality for modality in chosen if modality not in fitting]
        if strange or not fitting:
            has = f"{strange[0].name!r} is of kind {strange[0].kind}" if only else "the task has none of these"
            raise MmbenchError(f"{word(self)} acts on {self.acts_on}, and {has}")
        self.modalities = tuple(modality for modality in fitting if not only or modality in chosen)

    @classmethod
    def fits(cls, modality: Modality) -> bool:
        """Whether it acts on a modality of this kind."""
        raise NotImplementedError

    def changed(self, values: Tensor, modality: Modality, length: Tensor, draws: Tensor) -> Tensor:
        """Changed values, in the same shape and dtype.

        Args:
            values: (B,*shape) of the modality.
            length: (B,) long; the number of all frames where samples have no length of their own.
            draws: (B,draws) float32 in [0,1).
        """
        raise NotImplementedError

    def inputs(self, inputs: Inputs) -> Inputs:
        if not self.training:
            return inputs
        device = inputs.present.device
        chosen = torch.rand(len(inputs), device=device) < self.p
        draws = torch.rand(len(inputs), self.draws, device=device)
        for modality in self.modalities:
            values = inputs.values.get(modality.name)
            if values is not None and values.shape[1:] == modality.shape:
                inputs = self.change(inputs, modality, chosen & inputs.here(modality.name), draws)
        return inputs

    def change(self, inputs: Inputs, modality: Modality, chosen: Tensor, draws: Tensor) -> Inputs:
        """Inputs with one modality changed in the ``chosen`` (B,) samples, all of which have it."""
        name, values = modality.name, inputs.values[modality.name]
        real = chosen[:, None] & inputs.mask(name) if modality.timed else chosen
        new = self.changed(values, modality, frames(inputs, modality), draws)
        return replace(inputs, values={**inputs.values, name: torch.where(like(real, values), new, values)})


def word(term: Term) -> str:
    """A term's class as its card calls it: ``time-warp``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", type(term).__name__).lower()


def named(task: Task, only: str, term: str) -> list[Modality]:
    """The modalities of ``name+name``.

    Raises:
        MmbenchError: for a name that the task does not have.
    """
    names = [name.strip() for name in only.split("+")] if only else []
    for name in names:
        if name not in task.names:
            raise MmbenchError(f"{term}: only={only}: there is no modality {name!r}; {did_you_mean(name, task.names)}")
    return [task.modality(name) for name in names]


def frames(inputs: Inputs, modality: Modality) -> Tensor:
    """(B,) long: the length of a timed modality, of others the last axis, which is a spectrogram's time."""
    if modality.timed:
        return inputs.lengths[modality.name]
    present = inputs.here(modality.name)
    return torch.full_like(present, modality.shape[-1], dtype=torch.long)


def like(rows: Tensor, values: Tensor) -> Tensor:
    """(B,) or (B,T) with axes of size 1 added until it broadcasts against ``values`` (B,…)."""
    return rows.reshape(*rows.shape, *[1] * (values.dim() - rows.dim()))


def is_picture(modality: Modality) -> bool:
    """Whether its last two axes are those of a picture: an image, or a sequence of frames (T,C,H,W)."""
    return modality.kind == "image" or (modality.kind == "sequence" and len(modality.shape) == 4)


def whole(draw: Tensor, count: Tensor) -> Tensor:
    """Uniform numbers in [0,1) as uniform integers, float32, from 0 to ``count`` - 1."""
    return torch.minimum((draw * count).floor(), count - 1)
