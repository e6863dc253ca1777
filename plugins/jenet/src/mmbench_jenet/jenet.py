"""JENET-style fusion: everything is linear, but for the maximum."""

from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from mmbench import FusionModel, FusionOutput, Head, Inputs, Range, Task
from mmbench_jenet.flat import flat_size, flatten


class JenetStyle(FusionModel):
    """ŷ = V h + c, with h = max_m e_m (elementwise) or h = Σ_m w_m e_m, w = softmax(ω); e_m = W_m x_m + b_m.

    x_m is the modality as the harness standardises it, flattened (``flatten``). Both run over the modalities
    that are there, w renormalised over them; an absent one has the embedding 0.

    The weighted mean is a linear classifier of the concatenation, of rank at most d: on a balanced XOR of two
    modalities its AUROC is ½. The maximum is not linear: max(a,b) + max(−a,−b) = |a − b|.

    No paper of the name could be found; this is a description of its structure, and there is no published
    number to reproduce.

    Args:
        task: to be done.
        fusion: the maximum or the weighted mean.
        width: d of every e_m.
    """

    weight: nn.Parameter | None

    def __init__(
        self,
        task: Task,
        *,
        fusion: Literal["max", "weighted"] = "weighted",
        width: Annotated[int, Range(8, 512, log=True)] = 64,
    ) -> None:
        super().__init__()
        self.modalities, count = task.modalities, len(task.modalities)
        self.embed = nn.ModuleList(nn.Linear(flat_size(modality), width) for modality in task.modalities)
        weighs = fusion == "weighted" and count > 1  # the only weight would be 1
        self.weight = nn.Parameter(torch.zeros(count)) if weighs else None  # ω: all alike at the start
        self.head = Head(task, width)

    def forward(self, inputs: Inputs) -> FusionOutput:
        here = inputs.present[..., None]
        flat = [self.flat(inputs, i) for i in range(len(self.modalities))]
        every = torch.stack([embed(x) for embed, x in zip(self.embed, flat, strict=True)], 1)
        embedded = torch.where(here, every, every.new_zeros(()))
        if self.weight is None:  # a single modality is its own maximum
            fused = torch.where(here, embedded, -torch.inf).amax(1)
        else:
            weight = torch.where(inputs.present, self.weight, -torch.inf).softmax(1)
            fused = (weight[..., None] * embedded).sum(1)
        embeddings = {modality.name: embedded[:, i] for i, modality in enumerate(self.modalities)}
        return FusionOutput(prediction=self.head(fused), embeddings=embeddings, fused=fused)

    def flat(self, inputs: Inputs, index: int) -> Tensor:
        """(B,D) of modality number ``index``."""
        modality, dtype = self.modalities[index], next(self.parameters()).dtype
        return flatten(modality, inputs.values[modality.name], inputs.lengths.get(modality.name), dtype)
