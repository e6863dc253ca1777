"""A modality as one vector."""

from math import prod

import torch
from torch import Tensor

from mmbench import Modality


def flat_size(modality: Modality) -> int:
    """D of ``flatten``: the words of tokens, the numbers of anything else."""
    return modality.vocabulary if modality.kind == "tokens" else prod(modality.shape)


def flatten(modality: Modality, values: Tensor, lengths: Tensor | None, dtype: torch.dtype) -> Tensor:
    """(B,*shape), (B,) -> (B,D): padding zero; tokens as counts of words, padding not counted."""
    if lengths is None:
        real = torch.ones_like(values, dtype=torch.bool)
    else:
        steps = torch.arange(values.shape[1], device=values.device) < lengths[:, None]
        real = steps.reshape(*steps.shape, *[1] * (values.dim() - 2))
    if modality.kind != "tokens":
        return torch.where(real, values, values.new_zeros(())).flatten(1)
    counts = torch.zeros(len(values), modality.vocabulary, dtype=dtype, device=values.device)
    return counts.scatter_add(1, values, (real & (values > 0)).to(dtype))
