"""Interactive attention: one modality asks, the others answer."""

from typing import Annotated

import torch
import torch.nn.functional as F
from torch import nn

from mmbench import (
    FusionModel,
    FusionOutput,
    Head,
    Inputs,
    ModalityEncoders,
    Range,
    Task,
    attention,
    masked_mean,
)
from mmbench_bitower.tokens import shortened, without


class InteractiveAttention(FusionModel):
    """ŷ = head([z_1 ‖ … ‖ z_M]), z_m = h_m + mean_t attention(Q_m τ_mt; K_n τ_n, V_n τ_n over all n ≠ m).

    τ_m are the tokens of modality m and h_m their mean, or a learned missing token where m is absent.
    Scaled dot-product attention with one head. Each token may also attend to nothing, a sentinel with a key and a
    value of zeros (after Xiong et al. 2017, arXiv:1611.01604): without it, a modality of one token
    would be attended to wholly, whoever asks. With one modality nothing is asked: ŷ = head(h_1).

    Args:
        task: to be done.
        tokens: at most so many a modality; of longer ones neighbours are averaged.
        width: d.
        hidden: width of the head's hidden layer, 0 for none.
    """

    def __init__(
        self,
        task: Task,
        *,
        tokens: Annotated[int, Range(4, 128, log=True)] = 32,
        width: Annotated[int, Range(8, 512, log=True)] = 64,
        hidden: Annotated[int, Range(0, 512)] = 64,
    ) -> None:
        super().__init__()
        self.tokens, count = tokens, len(task.modalities)
        self.encode = ModalityEncoders(task, width)
        self.project = nn.ModuleList(nn.Linear(width, 3 * width) for _ in task.modalities if count > 1)
        self.head = Head(task, width * count, hidden)

    def forward(self, inputs: Inputs) -> FusionOutput:
        encoded = self.encode(inputs)
        vectors = list(encoded.vectors.values())
        if self.project:
            tokens, masks = shortened(encoded, self.tokens)
            projected = [project(x).chunk(3, -1) for project, x in zip(self.project, tokens, strict=True)]
            queries, keys, values = (list(x) for x in zip(*projected, strict=True))
            for m in range(len(vectors)):
                # one more key and value, of zeros, that is always there
                key, value = (F.pad(without(x, m), (0, 0, 0, 1)) for x in (keys, values))
                mask = F.pad(without(masks, m), (0, 1), value=True)
                vectors[m] = vectors[m] + masked_mean(attention(queries[m], key, value, mask), masks[m])
        fused = torch.cat(vectors, 1)
        return FusionOutput(prediction=self.head(fused), embeddings=encoded.vectors, fused=fused)
