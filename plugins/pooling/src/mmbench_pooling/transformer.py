"""Attention fuser: a class token reads the modalities in one transformer layer."""

from math import sqrt
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmbench import Range, Task
from mmbench_pooling.model import Fused, Fuser, Hidden, Width
from mmbench_pooling.weights import masked_softmax


class ClassTokenAttention(Fuser):
    """The class token after one transformer layer over [c, h_1, …, h_M], absent modalities masked.

    u = LN(c + MHA(c; c, h_1, …, h_M)), f̂ = LN(u + W_2 ReLU(W_1 u)): Vaswani et al. 2017 (arXiv:1706.03762,
    §3.1 and §3.2.2), with dropout on both residual branches. Only what the class token becomes is
    computed, as nothing reads the rest. Keys have no bias: it adds the same to every score, which softmax
    ignores. A width that the heads do not divide is attended to in the next larger one that they do.

    Args:
        modalities: M.
        width: d; 2d inside the feed-forward part.
        heads: of the attention.
        dropout: in training.
        embedding: add a learned vector to each modality's; without it, their order does not matter.
    """

    def __init__(self, modalities: int, width: int, heads: int, dropout: float, embedding: bool) -> None:
        super().__init__()
        self.heads = heads
        inner = -(-width // heads) * heads
        self.token = nn.Parameter(0.02 * torch.randn(width))
        self.embedding = nn.Parameter(0.02 * torch.randn(modalities, width)) if embedding else None
        self.query = nn.Linear(width, inner)
        self.key = nn.Linear(width, inner, bias=False)
        self.value = nn.Linear(width, inner)
        self.out = nn.Linear(inner, width)
        self.first, self.second = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.dropout = nn.Dropout(dropout)

    def read(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """What the class token reads of (B,T,d) where the mask (B,T) is true. -> (B,inner)."""

        def split(x: Tensor) -> Tensor:  # (…,inner) -> (…,heads,inner/heads)
            return x.reshape(*x.shape[:-1], self.heads, -1)

        # written out: `vmap` has no rule for the fused kernel, and there is one query for all samples
        query, key, value = split(self.query(self.token)), split(self.key(tokens)), split(self.value(tokens))
        scores = (key * query).sum(-1) / sqrt(query.shape[-1])
        weights = masked_softmax(scores, mask[..., None], 1)
        return (weights[..., None] * value).sum(1).flatten(1)

    def forward(self, h: Tensor, present: Tensor) -> Tensor:
        h = h if self.embedding is None else h + self.embedding
        tokens = torch.cat([self.token.expand(len(h), 1, -1), h], 1)
        mask = torch.cat([torch.ones_like(present[:, :1]), present], 1)
        u = self.norms[0](self.token + self.dropout(self.out(self.read(tokens, mask))))
        fused: Tensor = self.norms[1](u + self.dropout(self.second(F.relu(self.first(u)))))
        return fused


def fuser_attention(
    task: Task,
    *,
    heads: Literal[1, 2, 4, 8] = 4,
    dropout: Annotated[float, Range(0.0, 0.5)] = 0.1,
    embedding: bool = False,
    width: Width = 64,
    hidden: Hidden = 64,
) -> Fused:
    """``ClassTokenAttention`` between encoders and a head.

    Args:
        task: to be done.
        heads: of the attention.
        dropout: of the transformer layer.
        embedding: add a learned vector to each modality's.
        width: d of the encoders.
        hidden: width of the head's hidden layer, 0 for none.
    """
    fuser = ClassTokenAttention(len(task.modalities), width, heads, dropout, embedding)
    return Fused(task, fuser, width, hidden)
