"""Label smoothing that follows the model's own predictions."""

from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor

from mmbench import Batch, FusionOutput, MmbenchError, Range, Split, Task, Term
from mmbench_regularised.targets import labelled, labels, logits_of, refuse_values

Share = Annotated[float, Range(0.001, 1.0, log=True)]


class AdaptiveSmooth(Term):
    """Targets μ_i of each sample's own, μ ← (1−τ) μ + τ q̄ once an epoch, from μ = y in the first.

    q̄ = softmax(t + λ y) with t the logits that the sample had in the epoch before: of all distributions
    it has the least KL(q‖p̄) + λ (1 − q_y), p̄ = softmax(t): near the prediction, yet not far from the
    label. Of a label with two values, q̄ = σ(t + λ (2y − 1)). The cross-entropy against μ is KL(μ‖p) up
    to a constant. For large λ it is plain cross-entropy.

    Logits are noted whenever a sample is trained on, and read when it is next: μ (N,K) is the only state.

    Args:
        task: gives the labels.
        rate: τ.
        strength: λ.
    """

    soft: Tensor

    def __init__(self, task: Task, *, rate: Share = 0.1, strength: Annotated[float, Range(0.0, 20.0)] = 3.0) -> None:
        super().__init__()
        refuse_values(task, "adaptive-smooth")
        self.task, self.rate, self.strength = task, rate, strength

    def begin(self, train: Split) -> None:
        dtype = torch.get_default_dtype()  # the harness then casts it to that of the training
        self.register_buffer("soft", labels(self.task, train.target, dtype))

    def targets(self, output: FusionOutput, batch: Batch) -> Tensor:
        if batch.soft is not None:
            raise MmbenchError("adaptive-smooth sets targets of its own, which would undo those of the rule before it")
        target = self.soft.index_select(0, batch.index)
        if self.training:  # not in a trial, which asks for the same loss twice
            logits = logits_of(output, "adaptive-smooth").detach().to(target.dtype)
            closest = closest_target(self.task, logits, labels(self.task, batch.target, target.dtype), self.strength)
            self.soft[batch.index] = torch.lerp(target, closest, self.rate)
        return target


class PenalisedSmooth(AdaptiveSmooth):
    """The same, with γ times the entropy of the prediction subtracted from the loss: − γ H(p), mean over samples.

    Args:
        entropy: γ.
    """

    def __init__(self, task: Task, *, rate: float, strength: float, entropy: float) -> None:
        super().__init__(task, rate=rate, strength=strength)
        self.entropy = entropy

    def forward(self, output: FusionOutput, batch: Batch) -> Tensor:
        known = labelled(batch).to(self.soft.dtype)
        chaos = entropies(self.task, logits_of(output, "adaptive-smooth"))
        return -self.entropy * (chaos * known).sum() / known.sum().clamp(min=1)


def adaptive_smooth(
    task: Task,
    *,
    rate: Share = 0.1,
    strength: Annotated[float, Range(0.0, 20.0)] = 3.0,
    entropy: Annotated[float, Range(0.0, 1.0)] = 0.0,
) -> AdaptiveSmooth:
    """Without the penalty it is a rule for targets alone, which a model that reads none refuses.

    Args:
        task: gives the labels.
        rate: τ, how fast soft labels move.
        strength: λ, how strongly the label holds them.
        entropy: γ.
    """
    if not entropy:
        return AdaptiveSmooth(task, rate=rate, strength=strength)
    return PenalisedSmooth(task, rate=rate, strength=strength, entropy=entropy)


def closest_target(task: Task, logits: Tensor, target: Tensor, strength: float) -> Tensor:
    """q̄ of (B,K) logits and labels. -> (B,K)."""
    if task.kind == "classification":
        return (logits + strength * target).softmax(-1)
    return (logits + strength * (2 * target - 1)).sigmoid()


def entropies(task: Task, logits: Tensor) -> Tensor:
    """(B,K) logits -> (B,) entropy in nats; of labels, the mean over them."""
    if task.kind == "classification":
        return -(logits.softmax(-1) * logits.log_softmax(-1)).sum(-1)
    return (F.softplus(logits) - logits * logits.sigmoid()).mean(-1)
