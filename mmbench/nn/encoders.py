"""Encoders by modality kind: the harness's own, the same for every method, so that only fusion differs.

Each takes raw ``(values, lengths)`` of one modality and gives tokens (B,T,d), their mask (B,T) and
two pooled stages, of which the last is the masked mean of the tokens. None has statistics over the
batch or over padding: a row's code depends on that row alone.
"""

from itertools import pairwise
from math import sqrt
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmbench.core.errors import MmbenchError, did_you_mean
from mmbench.core.modality import Kind, Modality
from mmbench.core.task import Task
from mmbench.nn.functional import masked_mean
from mmbench.nn.records import Encoded, Inputs


class Encoding(NamedTuple):
    """What an encoder gives: tokens (B,T,d), mask (B,T) bool, stages [(B,c_1), (B,d)]."""

    tokens: Tensor
    mask: Tensor
    stages: list[Tensor]


class Encoder(nn.Module):
    """Base of the encoders. ``widths`` are those of the stages, the last the token width d."""

    widths: tuple[int, int]

    def __init__(self, modality: Modality, width: int) -> None:
        super().__init__()

    def forward(self, values: Tensor, lengths: Tensor | None = None) -> Encoding:
        raise NotImplementedError


class VectorEncoder(Encoder):
    """MLP with one hidden ReLU layer; a vector is one token."""

    def __init__(self, modality: Modality, width: int) -> None:
        super().__init__(modality, width)
        self.widths = (width, width)
        self.first = nn.Linear(modality.shape[0], width)
        self.second = nn.Linear(width, width)

    def forward(self, values: Tensor, lengths: Tensor | None = None) -> Encoding:
        shallow = F.relu(self.first(values))
        deep = self.second(shallow)
        return Encoding(deep[:, None], deep.new_ones(len(deep), 1, dtype=torch.bool), [shallow, deep])


class ConvEncoder(Encoder):
    """Three 3x3 convolutions with GroupNorm and ReLU, each but the last followed by 2x2 max pooling
    where at least 4 pixels a side are left; a token is a position of the last map."""

    def __init__(self, modality: Modality, width: int) -> None:
        super().__init__(modality, width)
        channels, height, breadth = modality.shape[-3:]
        self.widths = (max(width // 2, 8), width)
        sizes = [channels, max(width // 4, 8), self.widths[0], width]
        self.blocks = nn.ModuleList()
        for i, (before, after) in enumerate(pairwise(sizes)):
            block = self.convolution(i, before, after)
            if i < 2 and min(height, breadth) >= 4:
                block.append(nn.MaxPool2d(2))
                height, breadth = height // 2, breadth // 2
            self.blocks.append(block)
        self.positions = height * breadth  # of the last map

    def forward(self, values: Tensor, lengths: Tensor | None = None) -> Encoding:
        middle = self.blocks[1](self.blocks[0](values))
        tokens = self.weighed(self.blocks[2](middle).flatten(2).transpose(1, 2))
        mask = tokens.new_ones(tokens.shape[:2], dtype=torch.bool)
        return Encoding(tokens, mask, [middle.mean((-2, -1)), tokens.mean(1)])

    def convolution(self, i: int, before: int, after: int) -> nn.Sequential:
        """The i-th convolution with its norm and ReLU: (B,before,H,W) -> (B,after,H,W)."""
        return _normed(nn.Conv2d(before, after, 3, padding=1, bias=False))

    def weighed(self, tokens: Tensor) -> Tensor:
        """(B,T,d) -> the same, by position; here all positions are alike."""
        return tokens


class DepthwiseEncoder(ConvEncoder):
    """The same with depthwise separable convolutions: 3x3 of each channel by itself, then 1x1 across
    channels, GroupNorm and ReLU after each (Howard et al. 2017, MobileNets, arXiv:1704.04861, §3.1).

    Such a pair has 1/C_out + 1/9 of the weights of a 3x3 convolution. As there, the first layer stays a
    full one: of a grey image there would be one filter.
    """

    def convolution(self, i: int, before: int, after: int) -> nn.Sequential:
        if i == 0:
            return super().convolution(i, before, after)
        depthwise = _normed(nn.Conv2d(before, before, 3, padding=1, groups=before, bias=False))
        return nn.Sequential(*depthwise, *_normed(nn.Conv2d(before, after, 1, bias=False)))


class PositionalConvEncoder(ConvEncoder):
    """The same with learned weights of each position, for maps on which the same pattern means another thing
    at another place: a low band is not a high one, a raised hand no lowered one.

    τ_p = √P w_p ⊙ h_p over P positions, w_p ~ N(0, I) at the start: their mean is a depthwise
    convolution as large as the map (Chen et al. 2018, MobileFaceNets, arXiv:1804.07573, §3.1), with
    the variance of one position.
    """

    def __init__(self, modality: Modality, width: int) -> None:
        super().__init__(modality, width)
        self.weight = nn.Parameter(torch.randn(self.positions, width))

    def weighed(self, tokens: Tensor) -> Tensor:
        return tokens * (self.weight * sqrt(self.positions))


class TemporalBlock(nn.Module):
    """Two dilated convolutions over time with ReLU and a residual path; padding stays zero.

    Time is the last axis of an image one pixel high: convolutions of images need no copies where
    features lie side by side in memory (channels-last), as linear layers give them.

    Shapes:
        (B,d,1,T) and a mask (B,1,1,T) of 0/1 -> (B,d,1,T).
    """

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, (1, 3), padding=(0, dilation), dilation=(1, dilation))
        self.second = nn.Conv2d(width, width, (1, 3), padding=(0, dilation), dilation=(1, dilation))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        inner = F.relu(self.first(x)) * mask
        return (x + F.relu(self.second(inner))) * mask


class SequenceEncoder(Encoder):
    """Temporal convolutional network: dilations 1, 2, 4, 8, so that a token sees 30 frames before and
    after it; d/2 channels inside, d at the end.

    Frames that are images (T,C,H,W) go through a ``PositionalConvEncoder`` first. After Bai et al. 2018
    (arXiv:1803.01271), without causality, since whole sequences are given, and with a LayerNorm
    at the end in place of weight normalisation.
    """

    DILATIONS = (1, 2, 4, 8)

    def __init__(self, modality: Modality, width: int) -> None:
        super().__init__(modality, width)
        inner = max(width // 2, 8)
        self.widths = (inner, width)
        self.frame = PositionalConvEncoder(modality, width) if len(modality.shape) == 4 else None
        self.enter = nn.Linear(width if self.frame else modality.shape[-1], inner)
        self.blocks = nn.ModuleList(TemporalBlock(inner, dilation) for dilation in self.DILATIONS)
        self.leave = nn.Sequential(nn.Linear(inner, width), nn.LayerNorm(width))

    def forward(self, values: Tensor, lengths: Tensor | None = None) -> Encoding:
        mask = _length_mask(values, lengths)
        if self.frame is not None:
            frames: Tensor = self.frame(values.flatten(0, 1)).stages[-1]
            values = frames.reshape(*values.shape[:2], -1)
        here = mask[:, None, None].to(values.dtype)
        x = self.enter(values).transpose(1, 2)[:, :, None] * here
        half = len(self.blocks) // 2
        for block in self.blocks[:half]:
            x = block(x, here)
        shallow = masked_mean(x[:, :, 0].transpose(1, 2), mask)
        for block in self.blocks[half:]:
            x = block(x, here)
        tokens = self.leave(x[:, :, 0].transpose(1, 2)) * mask[..., None].to(x.dtype)
        return Encoding(tokens, mask, [shallow, masked_mean(tokens, mask)])


class TokensEncoder(Encoder):
    """Embedding of each token, then a ReLU layer and a linear one; pooled as a bag of words."""

    def __init__(self, modality: Modality, width: int) -> None:
        super().__init__(modality, width)
        self.widths = (width, width)
        self.embed = nn.Embedding(modality.vocabulary, width, padding_idx=0)
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)

    def forward(self, values: Tensor, lengths: Tensor | None = None) -> Encoding:
        mask = _length_mask(values, lengths)
        shallow = F.relu(self.first(self.embed(values)))
        tokens = self.second(shallow) * mask[..., None].to(shallow.dtype)
        return Encoding(tokens, mask, [masked_mean(shallow, mask), masked_mean(tokens, mask)])


# The default of each kind stands under the empty name.
ENCODERS: dict[Kind, dict[str, type[Encoder]]] = {
    "vector": {"": VectorEncoder},
    "image": {"": ConvEncoder, "depthwise": DepthwiseEncoder},
    "spectrogram": {"": PositionalConvEncoder},
    "sequence": {"": SequenceEncoder},
    "tokens": {"": TokensEncoder},
}


def make_encoder(modality: Modality, width: int) -> Encoder:
    """The encoder that a modality asks for.

    Raises:
        MmbenchError: if its kind has no encoder of that name.
    """
    known = ENCODERS[modality.kind]
    if modality.encoder not in known:
        names = [name or "default" for name in known]
        raise MmbenchError(
            f"no {modality.kind} encoder is called {modality.encoder!r}; {did_you_mean(modality.encoder, names)}"
        )
    build: type[Encoder] = known[modality.encoder]
    return build(modality, width)


class ModalityEncoders(nn.Module):
    """One encoder a modality; where a modality is absent, a learned missing token is its vector.

    The token starts at zero and exists for two or more modalities; a model trained on complete
    data never trains it.

    Args:
        task: gives the modalities.
        width: d of every vector and token.
        absent: whether to have missing tokens; without them an absent modality's vector is zero.
    """

    widths: dict[str, tuple[int, int]]
    missing: nn.Parameter | None

    def __init__(self, task: Task, width: int = 64, absent: bool = True) -> None:
        super().__init__()
        self.names = task.names
        self.encoders = nn.ModuleList(make_encoder(modality, width) for modality in task.modalities)
        self.widths = {name: encoder.widths for name, encoder in zip(self.names, self.each(), strict=True)}
        some = absent and len(self.names) > 1
        self.missing = nn.Parameter(torch.zeros(len(self.names), width)) if some else None

    def each(self) -> list[Encoder]:
        """The encoders, in the task's order."""
        return [encoder for encoder in self.encoders if isinstance(encoder, Encoder)]

    def forward(self, inputs: Inputs) -> Encoded:
        out = Encoded({}, {}, {}, {})
        for i, (name, encoder) in enumerate(zip(self.names, self.each(), strict=True)):
            encoding: Encoding = encoder(inputs.values[name], inputs.lengths.get(name))
            here = inputs.here(name)[:, None]
            absent = encoding.stages[-1].new_zeros(()) if self.missing is None else self.missing[i]
            vector = torch.where(here, encoding.stages[-1], absent)
            out.tokens[name], out.masks[name] = encoding.tokens, encoding.mask & here
            shallow = [torch.where(here, stage, stage.new_zeros(())) for stage in encoding.stages[:-1]]
            out.stages[name], out.vectors[name] = [*shallow, vector], vector
        return out


def _normed(convolution: nn.Conv2d) -> nn.Sequential:
    channels = convolution.out_channels
    return nn.Sequential(convolution, nn.GroupNorm(4 if channels % 4 == 0 else 1, channels), nn.ReLU())


def _length_mask(values: Tensor, lengths: Tensor | None) -> Tensor:
    """(B,T) bool: frames within the length; all of them if there is none."""
    steps = torch.arange(values.shape[1], device=values.device)
    if lengths is None:
        return (steps >= 0).expand(values.shape[:2])
    return steps < lengths[:, None]
