"""Hybrid fusion: features and decisions."""

from typing import Annotated

import torch
from torch import Tensor, nn

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
)
from mmbench_levels.heads import UnimodalHeads, unimodal_loss
from mmbench_levels.rules import combine


class Hybrid(FusionModel):
    """logits = α·head([h_1 ‖ … ‖ h_M]) + (1−α)·log p̄, p̄ the mean of the p_m present, α = σ(a) learned.

    It minimises ℓ(fused) + λ Σ_m ℓ(p_m), each p_m on the rows that have modality m.

    Args:
        task: to be done.
        auxiliary: λ.
        width: d of the encoders.
        hidden: width of each head's hidden layer, 0 for none.
    """

    packed = True
    uniform: Tensor

    def __init__(
        self,
        task: Task,
        *,
        auxiliary: Annotated[float, Range(0.0, 10.0)] = 0.3,
        width: Annotated[int, Range(8, 512, log=True)] = 64,
        hidden: Annotated[int, Range(0, 512)] = 64,
    ) -> None:
        super().__init__()
        self.task, self.auxiliary = task, auxiliary
        self.encode = ModalityEncoders(task, width)
        self.feature = Head(task, width * len(task.modalities), hidden)
        self.decision = UnimodalHeads(task, width, hidden)
        self.blend = nn.Parameter(torch.zeros(()))  # a: both alike at the start
        self.register_buffer("uniform", torch.ones(len(task.modalities)))

    def begin(self, train: Split) -> None:
        self.decision.begin(train)

    def forward(self, inputs: Inputs) -> FusionOutput:
        encoded = self.encode(inputs)
        fused = encoded.concat()
        unimodal = self.decision(encoded.vectors, inputs)
        every = torch.stack(list(unimodal.values()), 1)
        decision = combine(self.task, "mean", every, inputs.present, self.uniform, self.decision.prior)
        prediction = torch.lerp(decision, self.feature(fused), self.blend.sigmoid())
        return FusionOutput(prediction=prediction, embeddings=encoded.vectors, fused=fused, unimodal=unimodal)

    def loss(self, output: FusionOutput, batch: Batch, criterion: Criterion) -> Tensor:
        assert output.prediction is not None
        fused: Tensor = criterion(output.prediction, batch)
        return fused + self.auxiliary * unimodal_loss(output.unimodal, batch, criterion)
