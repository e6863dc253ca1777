"""Samples as rows of a table: every modality flattened, side by side."""

from math import ceil, prod

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from mmbench import Inputs, Modality, Task

_POOL = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


class Columns:
    """Turns ``Inputs`` into (N,D) numbers.

    A vector is taken as it is; images and sequences (padding zero) are flattened, tokens become
    counts of words. So that D stays near ``limit``, each modality gets an equal share of it: larger
    images and sequences are averaged over blocks of f pixels or frames a side, f as small as
    possible, and of words the most frequent ones in train are counted. Vectors are never cut.

    Args:
        task: gives the modalities.
        limit: of D.
        train: to choose words from.
    """

    def __init__(self, task: Task, limit: int, train: Inputs) -> None:
        self.modalities = task.modalities
        self.share = max(limit // len(task.modalities), 1)
        self.words = {
            modality.name: _column_of_word(train.values[modality.name], modality.vocabulary, self.share)
            for modality in task.modalities
            if modality.kind == "tokens"
        }

    def __call__(self, inputs: Inputs, absent: float) -> NDArray[np.float32]:
        """(N,D) float32, ``absent`` in every column of a modality that a row lacks."""
        blocks = []
        for modality in self.modalities:
            block = self._flat(modality, inputs.values[modality.name].cpu())
            here = inputs.here(modality.name).cpu()[:, None]
            blocks.append(torch.where(here, block, block.new_tensor(absent)))
        return torch.cat(blocks, 1).numpy()

    def _flat(self, modality: Modality, values: Tensor) -> Tensor:
        if modality.kind == "tokens":
            return _counts(values, self.words[modality.name])
        values = values.to(torch.float32)
        if modality.kind == "vector":
            return values
        if modality.kind == "sequence":  # (N,T,C,…) -> (N,C,T,…): channels first, as in an image
            values = values.transpose(1, 2)
        return coarsen(values, self.share).flatten(1)


def coarsen(values: Tensor, limit: int) -> Tensor:
    """(N,C,*axes) averaged over blocks of f a side, the least f for at most ``limit`` numbers a row.

    A channel is not split further than to one number, so the result is never below C.
    """
    channels, *axes = values.shape[1:]
    factor = 1
    while channels * prod(ceil(axis / factor) for axis in axes) > limit and factor < max(axes):
        factor += 1
    if factor == 1:
        return values
    return _POOL[len(axes)](values, [min(factor, axis) for axis in axes], ceil_mode=True)


def _column_of_word(tokens: Tensor, vocabulary: int, limit: int) -> Tensor:
    """(V,) long: 1, 2, … for the most frequent words, from the most to the less frequent; else 0."""
    frequency = torch.bincount(tokens.cpu().flatten(), minlength=vocabulary)
    frequency[0] = -1  # padding comes last, and only where everything fits
    kept = frequency.argsort(descending=True, stable=True)[: min(limit, vocabulary - 1)]
    column = torch.zeros(vocabulary, dtype=torch.long)
    column[kept] = torch.arange(1, len(kept) + 1)
    return column


def _counts(tokens: Tensor, column: Tensor) -> Tensor:
    """(N,T) ids -> (N,W) how often each kept word occurs."""
    found = column[tokens]
    counts = torch.zeros(len(tokens), int(column.max()) + 1)
    return counts.scatter_add_(1, found, torch.ones(found.shape))[:, 1:]
