"""Additive noise."""

from typing import Annotated

import torch
from torch import Tensor

from mmbench.core.modality import Modality
from mmbench.core.parameters import Range
from mmbench.core.task import Task
from mmbench.nn.augment.base import Augmentation, Share


class Noise(Augmentation):
    """Gaussian, independent in every number.

    Args:
        scale: its standard deviation, in units of that of the modality in the train split: inputs are
            standardised.
    """

    acts_on = "sequences, vectors and spectrograms"

    def __init__(
        self, task: Task, *, scale: Annotated[float, Range(0.001, 10, log=True)] = 0.1, p: Share = 1.0, only: str = ""
    ) -> None:
        super().__init__(task, p, only)
        self.scale = scale

    @classmethod
    def fits(cls, modality: Modality) -> bool:
        return modality.kind in ("sequence", "vector", "spectrogram")

    def changed(self, values: Tensor, modality: Modality, length: Tensor, draws: Tensor) -> Tensor:
        return values + self.scale * torch.randn(values.shape, dtype=values.dtype, device=values.device)
