"""stcnet-style: streams of frames at their own rates, attention over all of them, one decoder."""

from typing import Annotated

import torch
from torch import Tensor, nn

from mmbench import FusionModel, FusionOutput, Head, Inputs, Range, Task, masked_mean
from mmbench_stcnet.aggregation import NonLocal
from mmbench_stcnet.positions import Positions
from mmbench_stcnet.streams import Streams


class STCNetStyle(FusionModel):
    """ŷ = head(LN[z̄_1 ‖ … ‖ z̄_M]), z̄_m the mean over m's frames of Z = NonLocal([TCN_1(x_1) ‖ … ‖ TCN_M(x_M)]).

    Frames are joined along time, each modality at its own rate. Where m is absent its frames are
    masked, and z̄_m is a learned token. One frame in all has none to look at: there the block is left out.

    Built from a structural description; the paper to which the name is attributed could not be
    found, so no published number can be compared.

    Args:
        task: to be done.
        nonlocal_block: whether frames look at each other; without, modalities meet in the head alone.
        width: d of every frame, the TCNs' channels.
        levels: blocks of a TCN, dilations 1, 2, 4, ….
        kernel: frames that a convolution sees.
        scale: of what the block adds, at the start; 0 is Wang et al.'s.
        dropout: within the TCNs' blocks.
        hidden: width of the head's hidden layer, 0 for none.
    """

    missing: nn.Parameter | None

    def __init__(
        self,
        task: Task,
        *,
        nonlocal_block: bool = True,
        width: Annotated[int, Range(8, 512, log=True)] = 64,
        levels: Annotated[int, Range(1, 8)] = 4,
        kernel: Annotated[int, Range(2, 7)] = 3,
        scale: Annotated[float, Range(0, 2)] = 1.0,
        dropout: Annotated[float, Range(0, 0.5)] = 0.0,
        hidden: Annotated[int, Range(0, 512)] = 64,
    ) -> None:
        super().__init__()
        self.names, count = task.names, len(task.modalities)
        self.encode = Streams(task, width, levels, kernel, dropout)
        self.steps = self.encode.steps
        self.nonlocal_block = self.positions = None
        if nonlocal_block and sum(self.steps) > 1:
            self.positions = Positions(task, self.steps, width)
            self.nonlocal_block = NonLocal(width, scale)
        self.missing = nn.Parameter(torch.zeros(count, width)) if count > 1 else None
        self.norm = nn.LayerNorm(count * width)
        self.head = Head(task, count * width, hidden)

    def forward(self, inputs: Inputs) -> FusionOutput:
        frames, masks = self.encode(inputs)
        embeddings = self._pooled(frames, masks, inputs)
        pooled = embeddings
        if self.nonlocal_block is not None and self.positions is not None:
            together = torch.cat(list(frames.values()), 1)
            mask = torch.cat(list(masks.values()), 1)
            related = self.nonlocal_block(together, self.positions(inputs), mask)
            each = dict(zip(self.names, related.split(self.steps, 1), strict=True))
            pooled = self._pooled(each, masks, inputs)
        fused = self.norm(torch.cat(list(pooled.values()), 1))
        return FusionOutput(prediction=self.head(fused), embeddings=embeddings, fused=fused)

    def _pooled(self, frames: dict[str, Tensor], masks: dict[str, Tensor], inputs: Inputs) -> dict[str, Tensor]:
        """{m: (B,d)}: the mean over m's frames; its token where it is absent."""
        pooled = {name: masked_mean(frames[name], masks[name]) for name in self.names}
        if self.missing is None:
            return pooled
        return {
            name: torch.where(inputs.here(name)[:, None], mean, self.missing[i])
            for i, (name, mean) in enumerate(pooled.items())
        }
