"""The odds barrier: a loss that is least before the true class is certain."""

from math import log
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor

from mmbench import Batch, FusionOutput, MmbenchError, Range, Task, Term
from mmbench_regularised.targets import labelled, labels, logits_of, refuse_values

SUREST = log((1 - 1e-4) / 1e-4)  # log-odds of the probability at which p is clipped


class OddsBarrier(Term):
    """Mean of p/((1−p) λ) − log(1/(1−p)), p the probability of the true class (label: of its true value).

    Its only minimum is at p = 1 − 1/λ, and it grows without bound as p goes to 1, so that p is clipped at
    1 − 1e-4, beyond which it has no gradient. With a = log(p/(1−p)) it is e^a/λ − log(1 + e^a), which
    is how it is computed.

    Args:
        task: gives the labels.
        strength: λ > 1.

    Raises:
        MmbenchError: for λ ≤ 1, whose minimum is no probability above zero.
    """

    def __init__(self, task: Task, *, strength: Annotated[float, Range(1.01, 1000.0, log=True)] = 4.0) -> None:
        super().__init__()
        refuse_values(task, "odds-barrier")
        if not strength > 1:
            raise MmbenchError(
                f"odds-barrier: strength={strength} must be above 1: its minimum is at p = 1 - 1/strength"
            )
        self.task, self.strength = task, strength

    def forward(self, output: FusionOutput, batch: Batch) -> Tensor:
        logits = logits_of(output, "odds-barrier")
        odds = log_odds(self.task, logits, labels(self.task, batch.target, logits.dtype)).clamp(max=SUREST)
        known = labelled(batch).to(logits.dtype)
        rows = (odds.exp() / self.strength - F.softplus(odds)).mean(-1)
        return (rows * known).sum() / known.sum().clamp(min=1)


def log_odds(task: Task, logits: Tensor, target: Tensor) -> Tensor:
    """log(p/(1−p)) of what is true: (B,1) of the class, (B,K) of each label's value."""
    if task.kind == "classification":
        rest = torch.where(target > 0, -torch.inf, logits).logsumexp(-1, keepdim=True)
        return (logits * target).sum(-1, keepdim=True) - rest
    return logits * (2 * target - 1)
