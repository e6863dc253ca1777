"""Augmentations that leave something out: parts of a modality, or whole modalities."""

from typing import Annotated

import torch
from torch import Tensor

from mmbench.core.errors import MmbenchError
from mmbench.core.modality import Modality
from mmbench.core.parameters import Range
from mmbench.core.task import Task
from mmbench.nn.augment.base import Augmentation, Share, like, named, word
from mmbench.nn.models import Term
from mmbench.nn.records import Inputs


class Mask(Augmentation):
    """A share of each sample set to zero: spans of frames or tokens, patches of pictures, entries of vectors.

    Tokens become the id 0. In expectation the share is as given, for samples of any length; each
    modality is masked at places of its own.

    Args:
        share: of a sample that is dropped.
        spans: of a sequence; each lies within its own equal part of the sample, from whose end it goes
            on at the start.
        cells: on each axis of an image or spectrogram, dropped independently.
    """

    acts_on = "modalities of any kind"

    def __init__(
        self,
        task: Task,
        *,
        share: Annotated[float, Range(0.001, 0.9)] = 0.15,
        spans: Annotated[int, Range(1, 100)] = 2,
        cells: Annotated[int, Range(2, 100)] = 6,
        p: Share = 1.0,
        only: str = "",
    ) -> None:
        super().__init__(task, p, only)
        self.share, self.spans, self.cells = share, spans, cells

    @classmethod
    def fits(cls, modality: Modality) -> bool:
        return True

    def changed(self, values: Tensor, modality: Modality, length: Tensor, draws: Tensor) -> Tensor:
        if modality.timed:
            dropped = like(self._spans(values.shape[1], length), values)
        elif modality.kind == "vector":
            dropped = torch.rand(values.shape, device=values.device) < self.share
        else:
            dropped = self._patches(values)[:, None]
        return torch.where(dropped, values.new_zeros(()), values)

    def _spans(self, steps: int, length: Tensor) -> Tensor:
        """(B,T) bool: frames that are dropped."""
        starts = torch.rand(len(length), self.spans, device=length.device)
        place = (torch.arange(steps, device=length.device) + 0.5) * self.spans / length[:, None]
        part = place.floor().clamp(max=self.spans - 1)
        within = (place - part - starts.gather(1, part.long())) % 1
        return within < self.share

    def _patches(self, values: Tensor) -> Tensor:
        """(B,H,W) bool: pixels that are dropped."""
        height, width = values.shape[-2:]
        rows, columns = min(self.cells, height), min(self.cells, width)
        dropped = torch.rand(len(values), rows, columns, device=values.device) < self.share
        down = torch.arange(height, device=values.device) * rows // height
        across = torch.arange(width, device=values.device) * columns // width
        return dropped.index_select(1, down).index_select(2, across)


class ModalityDropout(Term):
    """Whole modalities made absent, never all that a sample has.

    Args:
        task: of the dataset, with two modalities or more.
        p: probability for each modality of each sample.
        only: names of the modalities that may be dropped, joined by ``+``; empty for all.

    Raises:
        MmbenchError: if the task has one modality, or ``only`` names another.
    """

    def __init__(self, task: Task, *, p: Annotated[float, Range(0.001, 0.99)] = 0.2, only: str = "") -> None:
        super().__init__()
        if len(task.modalities) < 2:
            raise MmbenchError(f"{word(self)} needs two modalities or more, and the task has one")
        self.p = p
        self.names = {modality.name for modality in named(task, only, word(self)) or task.modalities}

    def inputs(self, inputs: Inputs) -> Inputs:
        if not self.training:
            return inputs
        # A draw above `p` survives; what may not be dropped is above all draws, what is absent below.
        draws = torch.rand(inputs.present.shape, device=inputs.present.device)
        columns = [x if name in self.names else x + 2 for name, x in zip(inputs.names, draws.unbind(1), strict=True)]
        draws = torch.where(inputs.present, torch.stack(columns, 1), -1)
        last = torch.arange(len(inputs.names), device=draws.device) == draws.argmax(1, keepdim=True)
        return inputs.keep((draws >= self.p) | last)
