"""One modality alone: how good it is, and where its encoder starts from in the two towers."""

from dataclasses import replace

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
    Split,
    Task,
    prior,
)


class Alone(FusionModel):
    """ŷ = head(E_m(x_m)); the logits of the train prior where modality m is absent.

    Args:
        task: to be done.
        name: of the modality.
        width: d of the encoder.
        hidden: width of the head's hidden layer, 0 for none.
    """

    packed = True
    prior: Tensor

    def __init__(self, task: Task, name: str, width: int, hidden: int) -> None:
        super().__init__()
        self.task, self.name = task, name
        self.encode = ModalityEncoders(replace(task, modalities=(task.modality(name),)), width)
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
