"""From a fused vector to a prediction, and from a prediction to a loss."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmbench.core.task import BERNOULLI, Task
from mmbench.nn.records import Batch


class Head(nn.Module):
    """A prediction from a vector: linear, or with one hidden ReLU layer.

    Args:
        task: gives K.
        width: d of the input.
        hidden: width of the hidden layer, 0 for none.
        dropout: before the last layer, where there is a hidden one.

    Shapes:
        (B,d) -> (B,K) logits.
    """

    def __init__(self, task: Task, width: int, hidden: int = 0, dropout: float = 0.1) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        if hidden:
            self.layers.extend([nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout)])
        self.layers.append(nn.Linear(hidden or width, task.outputs))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x)
        return out


class Criterion(nn.Module):
    """The task's loss on logits: cross-entropy, binary cross-entropy or squared error, averaged.

    Every method is selected by it on validation, so that none has a criterion of its own there.

    Args:
        task: to be judged.
        balance: (K,) weights of classes; None for none.
    """

    balance: Tensor | None

    def __init__(self, task: Task, balance: Tensor | None = None) -> None:
        super().__init__()
        self.kind, self.outputs = task.kind, task.outputs
        self.register_buffer("balance", balance)

    def forward(self, logits: Tensor, batch: Batch, weight: Tensor | None = None) -> Tensor:
        """Mean loss over labelled rows.

        Args:
            logits: (B,K).
            batch: its soft targets where a term has set them, its hard ones otherwise.
            weight: (B,) of the rows.
        """
        rows = self.rows(logits, batch)
        if weight is None and batch.labelled is None:
            return rows.mean()
        weight = torch.ones_like(rows) if weight is None else weight
        if batch.labelled is not None:
            weight = weight * batch.labelled.to(rows.dtype)
        return (rows * weight).sum() / weight.sum().clamp(min=1e-12)

    def rows(self, logits: Tensor, batch: Batch) -> Tensor:
        """(B,) losses, one a row."""
        target = batch.target if batch.soft is None else batch.soft
        if target is None:
            raise ValueError("the criterion needs targets, and this split has none")
        if self.kind == "classification":
            return F.cross_entropy(logits, target, weight=self.balance, reduction="none")
        if self.kind in BERNOULLI:
            loss = F.binary_cross_entropy_with_logits(logits, target, pos_weight=self.balance, reduction="none")
            return loss.mean(-1)
        return (logits - target).square().mean(-1)
