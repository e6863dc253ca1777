"""Early fusion: modalities meet before the encoder."""

from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmbench import FusionModel, FusionOutput, Head, Inputs, Modality, Range, Task, make_encoder
from mmbench_levels.grid import Grid, channels, common_grid
from mmbench_levels.placing import Placing, flatten


class Shallow(nn.Module):
    """One layer before modalities meet: linear, or a convolution over 3 frames or 3x3 pixels, and ReLU.

    Shapes:
        (B,D) -> (B,c); (B,T,C) -> (B,T,c); (B,C,H,W) -> (B,c,H,W); (B,T,C,H,W) -> (B,T,c,H,W).
    """

    def __init__(self, view: Modality, width: int) -> None:
        super().__init__()
        incoming, rank = channels(view), len(view.shape)
        self.layer: nn.Module
        if view.kind == "vector":
            self.layer = nn.Linear(incoming, width)
        elif rank == 2:
            self.layer = nn.Conv1d(incoming, width, 3, padding=1)
        else:
            self.layer = nn.Conv2d(incoming, width, 3, padding=1)

    def forward(self, values: Tensor) -> Tensor:
        if values.dim() == 3:
            return F.relu(self.layer(values.transpose(1, 2))).transpose(1, 2)
        frames = values.flatten(0, 1) if values.dim() == 5 else values
        out = F.relu(self.layer(frames))
        return out.reshape(*values.shape[:2], *out.shape[1:]) if values.dim() == 5 else out


class Early(FusionModel):
    """ŷ = head(E([x_1 ‖ … ‖ x_M])), concatenated as channels of a common grid (see ``common_grid``).

    At the feature level each x_m goes through one shallow layer first. Where a modality is absent, a
    learned token, one number a channel and zero at the start, stands on the whole grid. A row is as
    long as the longest sequence that it has; a shorter one ends in zeros.

    There is no vector of one modality alone, so it gives no embeddings.

    Args:
        task: to be done.
        level: what is concatenated, the ``data`` or shallow features.
        width: d of the encoder; of shallow features, d for vectors and sequences, d/4 for images.
        hidden: width of the head's hidden layer, 0 for none.
    """

    def __init__(
        self,
        task: Task,
        *,
        level: Literal["data", "feature"] = "data",
        width: Annotated[int, Range(8, 512, log=True)] = 64,
        hidden: Annotated[int, Range(0, 512)] = 64,
    ) -> None:
        super().__init__()
        self.modalities, self.grid = task.modalities, common_grid(task.modalities)
        views = [self.grid.view(modality) for modality in task.modalities]
        self.place = nn.ModuleList(Placing(view, self.grid) for view in views)
        self.shallow = nn.ModuleList()
        sizes = [channels(view) for view in views]
        if level == "feature":
            sizes = [_shallow_width(self.grid, width)] * len(views)
            self.shallow.extend(Shallow(view, size) for view, size in zip(views, sizes, strict=True))
        self.absent = nn.ParameterList(torch.zeros(size) for size in sizes if len(views) > 1)
        self.encoder = make_encoder(self.grid.modality(sum(sizes)), width)
        self.head = Head(task, width, hidden)

    def forward(self, inputs: Inputs) -> FusionOutput:
        values, lengths = self.on_grid(inputs)
        fused = self.encoder(values, lengths).stages[-1]
        return FusionOutput(prediction=self.head(fused), fused=fused)

    def on_grid(self, inputs: Inputs) -> tuple[Tensor, Tensor | None]:
        """All modalities as one: the grid's values, and (B,) lengths of a sequence."""
        placed, real = [], []
        for i, modality in enumerate(self.modalities):
            values, frames = self._placed(i, modality, inputs)
            here = inputs.here(modality.name)
            if len(self.absent):
                token = self.absent[i].reshape(-1, *[1] * len(self.grid.size))
                values = torch.where(here.reshape(-1, *[1] * (values.dim() - 1)), values, token)
            placed.append(values)
            if frames is not None:
                real.append(frames & here[:, None])
        together = torch.cat(placed, self.grid.channel_axis)
        if not real:
            return together, None
        lengths = torch.stack(real).any(0).sum(-1)
        return together, torch.where(lengths > 0, lengths, self.grid.steps)  # none: vectors alone

    def _placed(self, i: int, modality: Modality, inputs: Inputs) -> tuple[Tensor, Tensor | None]:
        values, lengths = inputs.values[modality.name], inputs.lengths.get(modality.name)
        if self.grid.kind == "vector":
            values = flatten(values, lengths, modality, next(self.parameters()).dtype)
        elif values.dim() - 1 > len(self.place[i].view.shape):
            values = values.flatten(2)  # pixels become channels
        if len(self.shallow):
            values = self.shallow[i](values)
        placed: tuple[Tensor, Tensor | None] = self.place[i](values, lengths)
        return placed


def _shallow_width(grid: Grid, width: int) -> int:
    """As wide as the first layer of the harness's encoder for the grid."""
    return max(width // 4, 8) if grid.size else width
