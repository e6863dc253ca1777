"""The networks of gradient blending: apart, to be measured; and blended, with shared encoders."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mmbench import Batch, Criterion, FusionModel, FusionOutput, Head, Inputs, ModalityEncoders, Split, Task
from mmbench_blend.heads import UnimodalHeads, losses_of


class Apart(FusionModel):
    """M unimodal networks and a multimodal one, head([h_1 ‖ … ‖ h_M]), that share no parameter.

    Their losses are summed: what they have in common is the clip of the gradient's norm, and when training
    ends. ``prediction`` is that of the multimodal one: the training is selected by it.

    Args:
        task: to be done.
        width: d of the encoders.
        hidden: width of each head's hidden layer, 0 for none.
    """

    packed = True

    def __init__(self, task: Task, width: int, hidden: int) -> None:
        super().__init__()
        self.alone = ModalityEncoders(task, width, absent=False)
        self.heads = UnimodalHeads(task, width, hidden)
        self.encode = ModalityEncoders(task, width)
        self.head = Head(task, width * len(task.modalities), hidden)

    def begin(self, train: Split) -> None:
        self.heads.begin(train)

    def forward(self, inputs: Inputs) -> FusionOutput:
        unimodal = self.heads(self.alone(inputs).vectors, inputs)
        encoded = self.encode(inputs)
        fused = encoded.concat()
        return FusionOutput(self.head(fused), embeddings=encoded.vectors, fused=fused, unimodal=unimodal)

    def loss(self, output: FusionOutput, batch: Batch, criterion: Criterion) -> Tensor:
        assert output.prediction is not None
        return losses_of(output.prediction, output.unimodal, batch, criterion).sum()


class Blended(FusionModel):
    """ŷ = head([h_1 ‖ … ‖ h_M]), trained by Σ_m w_m ℓ(head_m(h_m)) + w_{M+1} ℓ(ŷ), encoders shared.

    For one modality it has the one head alone.

    Args:
        task: to be done.
        weights: w, one a modality and then that of ŷ.
        width: d of the encoders.
        hidden: width of each head's hidden layer, 0 for none.
    """

    packed = True
    weights: Tensor

    def __init__(self, task: Task, weights: Sequence[float], width: int, hidden: int) -> None:
        super().__init__()
        self.encode = ModalityEncoders(task, width)
        self.head = Head(task, width * len(task.modalities), hidden)
        self.heads = UnimodalHeads(task, width, hidden) if len(task.modalities) > 1 else None
        self.register_buffer("weights", torch.tensor(weights))

    def begin(self, train: Split) -> None:
        if self.heads is not None:
            self.heads.begin(train)

    def forward(self, inputs: Inputs) -> FusionOutput:
        encoded = self.encode(inputs)
        fused = encoded.concat()
        unimodal = {} if self.heads is None else self.heads(encoded.vectors, inputs)
        return FusionOutput(self.head(fused), embeddings=encoded.vectors, fused=fused, unimodal=unimodal)

    def loss(self, output: FusionOutput, batch: Batch, criterion: Criterion) -> Tensor:
        assert output.prediction is not None
        return self.weights @ losses_of(output.prediction, output.unimodal, batch, criterion)
