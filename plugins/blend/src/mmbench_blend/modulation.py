"""How much each modality contributes, and what that makes of its gradient."""

import torch
from torch import Tensor

from mmbench import Batch, Task


def scores(task: Task, contributions: Tensor, batch: Batch) -> Tensor:
    """(B,M,K) logits of each modality -> (M,): mean probability of what is true, over labelled rows that have it.

    Of the true class; of labels, the mean over them of the probability of each one's value.
    """
    assert batch.target is not None
    if task.kind == "classification":
        target = batch.target[:, None, None].expand(*contributions.shape[:2], 1)
        p = contributions.softmax(-1).gather(2, target)[..., 0]
    else:
        p = torch.sigmoid(contributions * (2 * batch.target - 1)[:, None]).mean(-1)
    here = batch.inputs.present if batch.labelled is None else batch.inputs.present & batch.labelled[:, None]
    weight = here.to(p.dtype)
    return (p * weight).sum(0) / weight.sum(0).clamp(min=1)


def coefficients(score: Tensor, alpha: float) -> Tensor:
    """(M,) scores -> (M,): k_m = 1 − tanh(α ρ_m) where ρ_m > 1, else 1 (Peng et al. 2022, equation 10).

    ρ_m is the score of modality m over the mean score of the others; with two modalities that is the
    paper's ratio. A modality without rows in the batch is not damped, and not counted among the others.
    """
    seen = (score > 0).to(score.dtype)
    others = (score.sum() - score) / (seen.sum() - seen).clamp(min=1)
    ratio = score / others.clamp(min=1e-12)
    dominant = (ratio > 1) & (others > 0)
    return torch.where(dominant, 1 - torch.tanh(alpha * ratio), torch.ones_like(ratio))
