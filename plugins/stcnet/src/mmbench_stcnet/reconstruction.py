"""Anomaly detection: a modality that the others do not explain is suspicious."""

from math import sqrt
from typing import Annotated

import torch
from torch import Tensor, nn

from mmbench import (
    Batch,
    Criterion,
    FusionModel,
    FusionOutput,
    Inputs,
    MmbenchError,
    Modality,
    Range,
    Task,
    masked_mean,
)
from mmbench_stcnet.aggregation import level
from mmbench_stcnet.positions import Positions
from mmbench_stcnet.streams import Streams, as_frames, numbers, real_frames, timesteps


class Elsewhere(nn.Module):
    """What the frames of the other modalities say of a frame whose own content is hidden.

    Z = P' + LN(W_o Y), Y = softmax([θ(P')·φ(P') ‖ θ(P') φ(X̃)ᵀ] / √d') [g(P') ; g(X̃)], X̃ = LN(X) + P: the
    non-local block for frames of which no more than the position P' is known. Each looks at itself
    and at all frames of other modalities.

    Args:
        width: d.

    Shapes:
        x (B,N,d), P (1 or B,N,d), P' (1 or B,Q,d), allowed (B,Q,N) bool -> (B,Q,d).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = max(width // 2, 1)
        self.project = nn.Linear(width, 3 * inner, bias=False)  # θ, φ and g
        self.leave = nn.Linear(inner, width, bias=False)  # W_o
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, positions: Tensor, hidden: Tensor, allowed: Tensor) -> Tensor:
        query, own_key, own_value = self.project(hidden).expand(len(x), -1, -1).chunk(3, -1)
        _, key, value = self.project(level(x) + positions).chunk(3, -1)
        itself = (query * own_key).sum(-1, keepdim=True)
        others = torch.where(allowed, query @ key.transpose(-1, -2), -torch.inf)
        weight = (torch.cat([itself, others], -1) / sqrt(query.shape[-1])).softmax(-1)
        fetched = weight[..., :1] * own_value + weight[..., 1:] @ value
        out: Tensor = hidden + self.norm(self.leave(fetched))
        return out


class STCNetReconstruction(FusionModel):
    """Logit of an anomaly = mean over the present m of a_m e_m + b_m, e_m = mean (x_m - x̂_m)², a_m > 0.

    x̂_m is decoded, frame by frame, from what the frames of the *other* modalities say (``Elsewhere``):
    a modality that could see itself would be reconstructed whether or not it fits the others. Where
    m is alone its frames see their positions and no more, so that x̂_m is a typical x_m; a and b are
    others there. The mean in e_m is over the real frames of m and their numbers.

    The loss is the criterion plus Σ_m e_m over normal rows: these are to be reconstructed, and the
    criterion drives the error of known anomalies up.

    Args:
        task: an anomaly task with two or more modalities, none of them tokens.
        width: d of every frame, the TCNs' channels.
        levels: blocks of a TCN, dilations 1, 2, 4, ….
        kernel: frames that a convolution sees.
        dropout: within the TCNs' blocks.
        hidden: width of the decoders' hidden layers.

    Raises:
        MmbenchError: for a single modality.
    """

    other: Tensor

    def __init__(
        self,
        task: Task,
        *,
        width: Annotated[int, Range(8, 512, log=True)] = 64,
        levels: Annotated[int, Range(1, 8)] = 4,
        kernel: Annotated[int, Range(2, 7)] = 3,
        dropout: Annotated[float, Range(0, 0.5)] = 0.0,
        hidden: Annotated[int, Range(1, 512, log=True)] = 64,
    ) -> None:
        super().__init__()
        if len(task.modalities) < 2:
            raise MmbenchError("a reconstruction from the others needs two modalities or more")
        self.task, count = task, len(task.modalities)
        self.encode = Streams(task, width, levels, kernel, dropout)
        self.steps = [timesteps(modality) for modality in task.modalities]
        self.positions = Positions(task, self.encode.steps, width)
        self.hidden_positions = Positions(task, self.steps, width)
        self.elsewhere = Elsewhere(width)
        self.decode = nn.ModuleList(
            nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, numbers(modality)))
            for modality in task.modalities
        )
        self.slope = nn.Parameter(torch.zeros(2, count))  # log a: with others, alone
        self.shift = nn.Parameter(-torch.ones(2, count))  # b
        owner = torch.arange(count)
        mine = owner.repeat_interleave(torch.tensor(self.steps))
        seen = owner.repeat_interleave(torch.tensor(self.encode.steps))
        self.register_buffer("other", mine[:, None] != seen, persistent=False)

    def forward(self, inputs: Inputs) -> FusionOutput:
        frames, masks = self.encode(inputs)
        mask = torch.cat(list(masks.values()), 1)
        said = self.elsewhere(
            torch.cat(list(frames.values()), 1),
            self.positions(inputs),
            self.hidden_positions(inputs),
            mask[:, None] & self.other,
        )
        generated = {}
        for modality, decode, part in zip(self.task.modalities, self.decode, said.split(self.steps, 1), strict=True):
            generated[modality.name] = _as_values(decode(part), modality)
        each = self.slope.exp() * self.errors(inputs, generated)[:, None] + self.shift  # (B,2,M)
        alone = inputs.present.sum(1, keepdim=True) == 1
        return FusionOutput(
            prediction=masked_mean(torch.where(alone, each[:, 1], each[:, 0])[..., None], inputs.present),
            embeddings={name: masked_mean(frames[name], masks[name]) for name in self.task.names},
            generated=generated,
        )

    def errors(self, inputs: Inputs, generated: dict[str, Tensor]) -> Tensor:
        """(B,M) mean (x_m - x̂_m)²; of no meaning where m is absent."""
        errors = []
        for modality in self.task.modalities:
            name = modality.name
            real, made = (as_frames(values[name], modality.kind) for values in (inputs.values, generated))
            square = (made - real).square().mean(-1, keepdim=True)
            errors.append(masked_mean(square, real_frames(real, inputs.lengths.get(name)))[:, 0])
        return torch.stack(errors, 1)

    def loss(self, output: FusionOutput, batch: Batch, criterion: Criterion) -> Tensor:
        if output.prediction is None or batch.target is None:
            raise ValueError("a reconstruction is trained with predictions and targets")
        errors = self.errors(batch.inputs, output.generated)
        normal = batch.target < 0.5
        if batch.labelled is not None:
            normal = normal & batch.labelled[:, None]
        weight = (normal & batch.inputs.present).to(errors.dtype)
        reconstruction = (errors * weight).sum(0) / weight.sum(0).clamp(min=1)
        judged: Tensor = criterion(output.prediction, batch)
        return judged + reconstruction.sum()


def _as_values(frames: Tensor, modality: Modality) -> Tensor:
    """(B,T,numbers) -> (B,*shape): ``as_frames`` backwards."""
    if modality.kind == "spectrogram":
        frames = frames.transpose(1, 2)
    return frames.reshape(len(frames), *modality.shape)
