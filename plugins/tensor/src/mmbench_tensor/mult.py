"""Multimodal transformer: every modality attends to every other, token by token."""

from itertools import permutations
from typing import Annotated

import torch
from torch import Tensor

from mmbench import FusionModel, FusionOutput, Head, Inputs, ModalityEncoders, Range, Task
from mmbench_tensor.tokens import aligned, readout
from mmbench_tensor.transformer import Linears, Transformers


class Mult(FusionModel):
    """MulT (after Tsai et al. 2019, arXiv:1906.00295), on the tokens of the harness's encoders.

    With X_m = tokens_m W_m (a convolution of kernel 1) of width d = heads · head_width and sinusoidal positions:

        Z_ij = cross-modal transformer_ij(X_i over X_j)      for all ordered pairs i ≠ j
        Y_i  = transformer_i([Z_ij]_{j≠i})                   self-attention, width d(M − 1)
        ŷ    = head([last(Y_1) ‖ … ‖ last(Y_M)])             width d M (M − 1)

    last is the last token of a sequence or text; of images, whose tokens are in no time, it is their mean. With one
    modality Y_1 = transformer_1(X_1). An absent modality is no source, and as a target it is its missing token.

    Args:
        task: to be done.
        layers: of every transformer; 5 are the authors', at about twice the cost.
        heads: of every attention.
        head_width: d / heads.
        tokens: most tokens of all modalities together, ``tokens // M`` each; means over neighbouring ones where a
            modality has more.
        dropout: of what a layer adds.
        width: d of the encoders.
        hidden: width of the head's hidden layer, 0 for none.
    """

    target: Tensor
    source: Tensor
    timed: Tensor

    def __init__(
        self,
        task: Task,
        *,
        layers: Annotated[int, Range(1, 6)] = 2,
        heads: Annotated[int, Range(1, 8)] = 5,
        head_width: Annotated[int, Range(2, 32, log=True)] = 6,
        tokens: Annotated[int, Range(16, 512, log=True)] = 64,
        dropout: Annotated[float, Range(0.0, 0.5)] = 0.1,
        width: Annotated[int, Range(8, 512, log=True)] = 64,
        hidden: Annotated[int, Range(0, 512)] = 64,
    ) -> None:
        super().__init__()
        modalities, inner = len(task.modalities), heads * head_width
        pairs = list(permutations(range(modalities), 2))
        outer = inner * max(modalities - 1, 1)
        self.tokens = tokens // modalities
        self.encode = ModalityEncoders(task, width)
        self.project = Linears(modalities, width, inner, bias=False)
        self.cross = Transformers(len(pairs), inner, heads, layers, self.tokens, dropout) if pairs else None
        self.memory = Transformers(modalities, outer, heads, layers, self.tokens, dropout)
        self.head = Head(task, outer * modalities, hidden)
        self.register_buffer("target", torch.tensor([i for i, _ in pairs], dtype=torch.long))
        self.register_buffer("source", torch.tensor([j for _, j in pairs], dtype=torch.long))
        self.register_buffer("timed", torch.tensor([modality.timed for modality in task.modalities]))

    def forward(self, inputs: Inputs) -> FusionOutput:
        encoded = self.encode(inputs)
        tokens, targets, sources = aligned(encoded, inputs, self.tokens)
        x = self.project(tokens)
        if self.cross is not None:
            of, over = x.index_select(0, self.target), x.index_select(0, self.source)
            x = self._by_target(self.cross(of, over, sources.index_select(0, self.source)), len(x))
        fused = readout(self.memory(x, None, targets), targets, self.timed).flatten(1)
        return FusionOutput(prediction=self.head(fused), embeddings=encoded.vectors, fused=fused)

    @staticmethod
    def _by_target(x: Tensor, modalities: int) -> Tensor:
        """(M(M−1),B,T,d) of all pairs, by target -> (M,B,T,(M−1)d)."""
        by_pair = x.reshape(modalities, modalities - 1, *x.shape[1:])
        return by_pair.movedim(1, 3).flatten(3)
