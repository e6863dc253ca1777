"""Trusted multi-view classification: modalities meet as opinions that know how sure they are."""

from dataclasses import replace
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmbench import (
    Batch,
    Criterion,
    FusionModel,
    FusionOutput,
    Head,
    Inputs,
    MmbenchError,
    ModalityEncoders,
    Range,
    Task,
)
from mmbench_evidential.opinions import combine, evidential_loss


class Tmc(FusionModel):
    """Evidence e_m = softplus(head_m(E_m(x_m))) ≥ 0, combined by Dempster's rule (Han et al. 2021, arXiv:2102.02051).

    It minimises the evidential loss of the combined opinion plus that of each modality, each over the rows that
    have the modality. The prediction is log α, as softmax(log α) = α/S is the mean of Dir(α). A label of a
    multilabel task (and verification's or anomaly's one output) is an opinion over {0, 1} of its own, whose logit is
    log α_1 − log α_0. An absent modality is the vacuous opinion, which changes nothing. ``fused`` is log α of all
    opinions, the combined one last.

    Args:
        task: to be done.
        annealing: epochs over which λ, the weight of the divergence from no evidence, rises from 0 to 1.
        width: d of the encoders.
        hidden: width of each head's hidden layer, 0 for none.

    Raises:
        MmbenchError: for regression, which has no classes to hold opinions about.
    """

    def __init__(
        self,
        task: Task,
        *,
        annealing: Annotated[float, Range(1.0, 100.0, log=True)] = 10.0,
        width: Annotated[int, Range(8, 512, log=True)] = 64,
        hidden: Annotated[int, Range(0, 512)] = 64,
    ) -> None:
        super().__init__()
        if task.kind == "regression":
            raise MmbenchError("tmc has no meaning for regression: opinions are about classes")
        self.task, self.annealing = task, annealing
        self.binary = task.kind != "classification"
        evidence = replace(task, kind="classification", outputs=2 * task.outputs, metric="") if self.binary else task
        self.encode = ModalityEncoders(task, width, absent=False)
        self.heads = nn.ModuleList(Head(evidence, width, hidden) for _ in task.modalities)

    def forward(self, inputs: Inputs) -> FusionOutput:
        vectors = self.encode(inputs).vectors
        logits = torch.stack([head(vectors[name]) for name, head in zip(self.task.names, self.heads, strict=True)], 1)
        # In float64, as the product of ten evidences has no room in float32.
        evidence = self._by_question(F.softplus(logits).double()) * inputs.present[..., None, None]
        every = torch.cat([evidence, combine(evidence.transpose(1, 2))[:, None]], 1)
        log_alpha = every.log1p().to(torch.promote_types(logits.dtype, torch.float32))
        *alone, prediction = self._logits(log_alpha).unbind(1)
        return FusionOutput(
            prediction=prediction,
            embeddings=vectors,
            fused=log_alpha.flatten(1),
            unimodal=dict(zip(self.task.names, alone, strict=True)),
        )

    def loss(self, output: FusionOutput, batch: Batch, criterion: Criterion) -> Tensor:
        assert output.fused is not None
        modalities = len(self.task.modalities)
        log_alpha = self._by_question(output.fused.double().reshape(len(output.fused), modalities + 1, -1))
        target = self._answers(batch)
        rows = evidential_loss(log_alpha.expm1(), target[:, None], (batch.epoch / self.annealing).clamp(max=1))
        if criterion.balance is not None:
            rows = rows * self._importance(target, criterion.balance)[:, None]
        return _means(rows.mean(-1), batch).sum().to(output.fused.dtype)

    def _by_question(self, x: Tensor) -> Tensor:
        """(…,QC) -> (…,Q,C): one question with K answers in classification, K with two each of labels."""
        return x.reshape(*x.shape[:-1], -1, 2) if self.binary else x[..., None, :]

    def _logits(self, log_alpha: Tensor) -> Tensor:
        """(…,Q,C) -> (…,K) logits."""
        return log_alpha[..., 1] - log_alpha[..., 0] if self.binary else log_alpha[..., 0, :]

    def _answers(self, batch: Batch) -> Tensor:
        """(B,Q,C): how much of each answer is true; soft targets where a term has set them."""
        target = batch.target if batch.soft is None else batch.soft
        if target is None:
            raise ValueError("the evidential loss needs targets, and this split has none")
        if self.binary:
            return torch.stack([1 - target, target], -1)
        if target.dim() == 1:
            target = target[:, None] == torch.arange(self.task.outputs, device=target.device)
        return target[:, None].double()

    def _importance(self, target: Tensor, balance: Tensor) -> Tensor:
        """(B,Q): weights of rows as the task's criterion has them, of classes or of positive labels."""
        weights = torch.stack([torch.ones_like(balance), balance], -1) if self.binary else balance
        return (target * weights).sum(-1)


def _means(rows: Tensor, batch: Batch) -> Tensor:
    """(B,M+1) losses -> (M+1,): of each modality over the labelled rows that have it, and of the combined opinion."""
    present = batch.inputs.present
    weight = torch.cat([present, torch.ones_like(present[:, :1])], 1)
    if batch.labelled is not None:
        weight = weight & batch.labelled[:, None]
    return (rows * weight).sum(0) / weight.sum(0).clamp(min=1)
