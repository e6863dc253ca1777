"""Targets as labels: zeros and ones, and how alike two samples' sets of them are."""

import torch
from torch import Tensor

from mmbench import Batch, FusionOutput, MmbenchError, Task
from mmbench_regularised import DISCRETE


def refuse_values(task: Task, term: str) -> None:
    """For a term that reads labels.

    Raises:
        MmbenchError: for a task whose targets are no labels.
    """
    if task.kind not in DISCRETE:
        raise MmbenchError(f"{term} reads labels: it is for {', '.join(DISCRETE)}, not for {task.kind}")


def labels(task: Task, target: Tensor | None, dtype: torch.dtype) -> Tensor:
    """Hard targets as (B,K) zeros and ones; one-hot in classification."""
    if target is None:
        raise MmbenchError("this term reads targets, and the split has none: leave it out")
    if task.kind == "classification":
        return (target[:, None] == torch.arange(task.outputs, device=target.device)).to(dtype)
    return target.to(dtype)


def jaccard(sets: Tensor) -> Tensor:
    """|a ∩ b| / |a ∪ b| of label sets (B,K) of zeros and ones; 1 for two empty sets. -> (B,B).

    For one-hot rows, and for a single label of two values, it says whether they are equal.
    """
    both, size = sets @ sets.T, sets.sum(1)
    either = size[:, None] + size - both
    return torch.where(either > 0, both / either.clamp(min=1), 1)


def labelled(batch: Batch) -> Tensor:
    """(B,) bool: rows whose target is known."""
    rows = torch.ones_like(batch.index, dtype=torch.bool)
    return rows if batch.labelled is None else batch.labelled


def logits_of(output: FusionOutput, term: str) -> Tensor:
    """(B,K).

    Raises:
        MmbenchError: if the model makes no prediction while it is trained.
    """
    if output.prediction is None:
        raise MmbenchError(f"{term} reads the prediction, and this model makes none in training: leave it out")
    return output.prediction
