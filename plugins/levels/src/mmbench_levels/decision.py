"""Decision fusion: modalities meet after their predictions."""

from typing import Annotated

import torch
from torch import Tensor

from mmbench import (
    Batch,
    Criterion,
    FusionModel,
    FusionOutput,
    Inputs,
    MmbenchError,
    ModalityEncoders,
    Range,
    Split,
    Task,
)
from mmbench_levels.heads import UnimodalHeads, unimodal_loss
from mmbench_levels.rules import Rule, combine
from mmbench_levels.weights import fit_weights

ROWS_AT_ONCE = 1024


class Decision(FusionModel):
    """p = rule(p_1, …, p_M) over the modalities present, p_m = softmax(head_m(E_m(x_m))) (Kittler et al. 1998).

    Every p_m is trained by its own criterion on the rows that have modality m; the rule is applied
    afterwards, so that all rules share the same unimodal predictions.

    Args:
        task: to be done.
        rule: see ``mmbench_levels.rules``.
        width: d of the encoders.
        hidden: width of each head's hidden layer, 0 for none.

    Raises:
        MmbenchError: for a rule that the task cannot have.
    """

    packed = True
    weights: Tensor

    def __init__(
        self,
        task: Task,
        *,
        rule: Rule = "mean",
        width: Annotated[int, Range(8, 512, log=True)] = 64,
        hidden: Annotated[int, Range(0, 512)] = 64,
    ) -> None:
        super().__init__()
        if task.kind == "regression" and rule not in ("mean", "weighted"):
            raise MmbenchError(f"rule={rule} has no meaning for regression: use mean or weighted")
        self.task, self.rule = task, rule
        self.encode = ModalityEncoders(task, width, absent=False)
        self.heads = UnimodalHeads(task, width, hidden)
        modalities = len(task.modalities)
        self.register_buffer("weights", torch.full((modalities,), 1 / modalities))

    def begin(self, train: Split) -> None:
        self.heads.begin(train)

    def forward(self, inputs: Inputs) -> FusionOutput:
        vectors = self.encode(inputs).vectors
        unimodal = self.heads(vectors, inputs)
        every = torch.stack(list(unimodal.values()), 1)
        prediction = combine(self.task, self.rule, every, inputs.present, self.weights, self.heads.prior)
        return FusionOutput(prediction=prediction, embeddings=vectors, unimodal=unimodal)

    def loss(self, output: FusionOutput, batch: Batch, criterion: Criterion) -> Tensor:
        return unimodal_loss(output.unimodal, batch, criterion)

    def finish(self, train: Split, validation: Split) -> None:
        """Fit the weights of the rule that has some."""
        if self.rule == "weighted":
            split, _ = validation.supervised()
            self.weights.copy_(fit_weights(self.task, self._unimodal(split), split))

    def _unimodal(self, split: Split) -> Tensor:
        """(N,M,K) logits of many rows."""
        starts = range(0, len(split), ROWS_AT_ONCE)
        outputs = [self(split.part(slice(i, i + ROWS_AT_ONCE)).unpacked().inputs).unimodal for i in starts]
        return torch.cat([torch.stack(list(unimodal.values()), 1) for unimodal in outputs])
