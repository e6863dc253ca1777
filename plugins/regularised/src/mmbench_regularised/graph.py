"""Which samples of a batch are neighbours, by their inputs alone."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mmbench import Inputs, Modality


def flat(inputs: Inputs, modality: Modality, dtype: torch.dtype) -> Tensor:
    """(B,D): a modality as one vector; of tokens, how often each word occurs."""
    values = inputs.values[modality.name]
    if modality.kind != "tokens":
        return values.flatten(1).to(dtype)
    counts = torch.zeros(len(values), modality.vocabulary, dtype=dtype, device=values.device)
    return counts.scatter_add(1, values, inputs.mask(modality.name).to(dtype))


def distances(inputs: Inputs, modalities: Sequence[Modality], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """(B,B) squared distances of samples, and (B,B) bool: different samples that share a modality.

    Mean over the modalities that both have of ‖x_m − x'_m‖² in units of its mean over such pairs, so
    that each modality has the same say.
    """
    rows = inputs.present.shape[0]
    different = ~torch.eye(rows, dtype=torch.bool, device=inputs.present.device)
    total = count = torch.zeros(rows, rows, dtype=dtype, device=different.device)
    for modality in modalities:
        x, here = flat(inputs, modality, dtype), inputs.here(modality.name)
        size = x.square().sum(1)
        squared = (size[:, None] + size - 2 * x @ x.T).clamp(min=0)
        shared = (here[:, None] & here & different).to(dtype)
        unit = (squared * shared).sum() / shared.sum().clamp(min=1)
        total = total + squared * shared / unit.clamp(min=1e-12)
        count = count + shared
    return total / count.clamp(min=1), count > 0


def heat_kernel(squared: Tensor, allowed: Tensor, neighbours: int) -> Tensor:
    """(B,B) symmetric weights S: exp(−d²/t) where one of two samples is among the k nearest of the other.

    Args:
        squared: (B,B) squared distances; t is their mean over those neighbours.
        allowed: (B,B) bool, symmetric: pairs that can be neighbours at all.
        neighbours: k.
    """
    k = min(neighbours, len(squared))
    ranked = torch.where(allowed, squared, torch.inf)
    reach = ranked.topk(k, dim=1, largest=False).values[:, -1:]
    near = allowed & (ranked <= reach)
    linked = (near | near.T).to(squared.dtype)
    spread = (squared * linked).sum() / linked.sum().clamp(min=1)
    return linked * (-squared / spread.clamp(min=1e-12)).exp()
