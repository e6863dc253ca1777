"""One modality alone: what fusion has to add to."""

from dataclasses import replace
from typing import Annotated

import torch
from torch import Tensor

from mmbench import (
    Batch,
    Criterion,
    FusionModel,
    FusionOutput,
    Head,
    Inputs,
    ModalityEncoders,
    Range,
    Split,
    Task,
    prior,
)


class Unimodal(FusionModel):
    """ŷ = head(E_m(x_m)), with the harness's encoder E_m; other modalities are never read.

    A row in which modality m is absent gets the logits of the train prior: with nothing to look
    at, p(y|nothing) = p(y) is the exact answer. Such rows do not train the model.

    Args:
        task: to be done.
        modality: the one to use; empty is the task's first.
        width: d of the encoder.
        hidden: width of the head's hidden layer, 0 for none.
    """

    packed = True
    prior: Tensor

    def __init__(
        self,
        task: Task,
        *,
        modality: str = "",
        width: Annotated[int, Range(8, 512, log=True)] = 64,
        hidden: Annotated[int, Range(0, 512)] = 64,
    ) -> None:
        super().__init__()
        alone = task.modality(modality or task.names[0])
        self.task, self.name = task, alone.name
        self.encode = ModalityEncoders(replace(task, modalities=(alone,)), width)
        self.head = Head(task, width, hidden)
        self.register_buffer("prior", torch.zeros(task.outputs))

    def begin(self, train: Split) -> None:
        self.prior.copy_(prior(self.task, train.supervised()[1]))

    def forward(self, inputs: Inputs) -> FusionOutput:
        vector = self.encode(inputs).vectors[self.name]
        logits = torch.where(inputs.here(self.name)[:, None], self.head(vector), self.prior)
        return FusionOutput(
            prediction=logits, embeddings={self.name: vector}, fused=vector, unimodal={self.name: logits}
        )

    def loss(self, output: FusionOutput, batch: Batch, criterion: Criterion) -> Tensor:
        """The criterion over the rows that have the modality."""
        assert output.prediction is not None
        weight = batch.inputs.here(self.name).to(output.prediction.dtype)
        loss: Tensor = criterion(output.prediction, batch, weight)
        return loss
