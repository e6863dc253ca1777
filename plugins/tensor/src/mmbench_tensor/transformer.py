"""Transformers of one shape side by side: N of them, each with weights of its own, in one batched product a layer."""

from math import sqrt

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmbench_tensor.tokens import positions


class Linears(nn.Module):
    """N linear maps: (N,…,i) -> (N,…,o), weights Xavier-uniform and biases zero at the start."""

    def __init__(self, count: int, inner: int, outer: int, bias: bool = True) -> None:
        super().__init__()
        bound = sqrt(6 / (inner + outer))
        self.weight = nn.Parameter(torch.empty(count, inner, outer).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(count, 1, outer)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        flat = x.reshape(len(x), -1, x.shape[-1])
        out = flat @ self.weight if self.bias is None else torch.baddbmm(self.bias, flat, self.weight)
        return out.reshape(*x.shape[:-1], -1)


class Attentions(nn.Module):
    """N multi-head attentions with one more key and value, which are zero (``add_zero_attn`` in torch's).

    With the zero key, attention to a single token is a gate that depends on the query; without it, it would be the
    token whatever the query, whose weights would never learn. It is also all that is left where there is no source.

    Shapes:
        queries (N,B,Q,d), sources (N,B,T,d), which sources there are (N,B,T) bool -> (N,B,Q,d).
    """

    def __init__(self, count: int, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = Linears(count, width, width)
        self.key = Linears(count, width, width)
        self.value = Linears(count, width, width)
        self.leave = Linears(count, width, width)

    def forward(self, queries: Tensor, sources: Tensor, real: Tensor) -> Tensor:
        q, k, v = (self._split(x) for x in (self.query(queries), self.key(sources), self.value(sources)))
        scores = (q / sqrt(q.shape[-1])) @ k.transpose(-2, -1)  # (N,B,heads,Q,T)
        scores = torch.where(real[:, :, None, None], scores, -torch.inf)
        weights = F.pad(scores, (0, 1)).softmax(-1)[..., :-1]  # the zero key's score is 0, and its value adds nothing
        attended: Tensor = self.leave((weights @ v).transpose(2, 3).flatten(3))
        return attended

    def _split(self, x: Tensor) -> Tensor:
        """(N,B,T,d) -> (N,B,heads,T,d/heads)."""
        return x.reshape(*x.shape[:-1], self.heads, -1).transpose(2, 3)


class Layers(nn.Module):
    """One pre-norm layer of N transformers: x += attention(norm(x)), x += mlp(norm(x)), hidden width 4d.

    The norms have no scale and shift: those of the linear maps that follow do the same.
    """

    def __init__(self, count: int, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attend = Attentions(count, width, heads)
        self.mlp = nn.Sequential(Linears(count, width, 4 * width), nn.ReLU(), Linears(count, 4 * width, width))
        self.drop = nn.Dropout(dropout) if dropout else nn.Identity()

    def forward(self, x: Tensor, sources: Tensor | None, real: Tensor) -> Tensor:
        queries = normalise(x)
        x = x + self.drop(self.attend(queries, queries if sources is None else sources, real))
        out: Tensor = x + self.drop(self.mlp(normalise(x)))
        return out


class Transformers(nn.Module):
    """N transformers, of a modality over another, or over itself where there are no sources.

    Sources are those of the first layer in all layers, as in MulT.

    Args:
        count: N.
        width: d.
        heads: of the attention; they divide d.
        layers: of each.
        steps: most tokens.
        dropout: of what a layer adds.

    Shapes:
        (N,B,Q,d), sources (N,B,T,d) or None, which keys there are (N,B,T) bool -> (N,B,Q,d), normalised.
    """

    places: Tensor

    def __init__(self, count: int, width: int, heads: int, layers: int, steps: int, dropout: float) -> None:
        super().__init__()
        self.register_buffer("places", positions(steps, width))
        self.layers = nn.ModuleList(Layers(count, width, heads, dropout) for _ in range(layers))

    def forward(self, x: Tensor, sources: Tensor | None, real: Tensor) -> Tensor:
        x = self._placed(x)
        sources = None if sources is None else normalise(self._placed(sources))
        for layer in self.layers:
            x = layer(x, sources, real)
        return normalise(x)

    def _placed(self, x: Tensor) -> Tensor:
        return x * sqrt(x.shape[-1]) + self.places[: x.shape[-2]]


def normalise(x: Tensor) -> Tensor:
    """To mean 0 and variance 1 over the last axis."""
    return F.layer_norm(x, x.shape[-1:])
