"""Two towers that interact: the model that bi-tower trains in its last fit."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmbench import (
    FusionModel,
    FusionOutput,
    Head,
    Inputs,
    MmbenchError,
    ModalityEncoders,
    Task,
    masked_mean,
)
from mmbench_bitower.gate import Gate, Inference, keep_top

Rest = Literal["mean", "concat"]
DROPOUT = 0.1  # the suite's, as in its heads


class Interaction(nn.Module):
    """s·MLP([t_1 ‖ t_2]) with s = max(0, cos(t_1, t_2)): what two similar towers add to every modality.

    Args:
        width: d of the towers, and of the hidden ReLU layer.

    Shapes:
        (B,d), (B,d), and (B,) bool where there are both -> (B,d), zero where one is missing.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(width, width))

    def forward(self, first: Tensor, second: Tensor, both: Tensor) -> Tensor:
        similarity = (F.normalize(first, dim=-1) * F.normalize(second, dim=-1)).sum(-1).relu() * both
        added: Tensor = similarity[:, None] * self.mlp(torch.cat([first, second], -1))
        return added


class TwoTowers(FusionModel):
    """ŷ = head(Σ_m p_m r_m), p_m = c_m / Σ_n c_n, r_m = h_m + s·MLP([t_1 ‖ t_2]), h_m = E_m(x_m).

    Tower 1 is the vector of the leading modality, t_1 = h_1; tower 2 is made of the others: the mean
    of those that are there, or a linear map of their concatenation. Confidences c come from a gate over
    all modalities. With ``top``, the sums run over the most confident modalities alone; the gradient of the p_m is
    that of all (straight-through), so that confidences of those left out learn, while their vectors get none. An
    absent modality takes no part; where a tower has none, s = 0. With one modality there is one tower: ŷ = head(h_1).

    Args:
        task: to be done.
        lead: the modality of tower 1.
        top: modalities that a sample keeps, the most confident; M or more keep all.
        inference: of the gate.
        rest: how tower 2 joins its modalities.
        width: d.
        hidden: width of the head's hidden layer, 0 for none.
    """

    def __init__(
        self,
        task: Task,
        lead: str,
        *,
        top: int = 10,
        inference: Inference = "exact",
        rest: Rest = "mean",
        width: int = 64,
        hidden: int = 64,
    ) -> None:
        super().__init__()
        if lead not in task.names:
            raise MmbenchError(f"tower 1 is one of {', '.join(task.names)}, not {lead!r}")
        count = len(task.modalities)
        self.lead, self.top = task.names.index(lead), min(top, count)
        self.others = [m for m in range(count) if m != self.lead]
        self.encode = ModalityEncoders(task, width, absent=False)
        self.interact = Interaction(width) if count > 1 else None
        self.gate = Gate(count, width, inference) if count > 1 else None
        self.join = nn.Linear((count - 1) * width, width) if count > 1 and rest == "concat" else None
        self.head = Head(task, width, hidden)

    def forward(self, inputs: Inputs) -> FusionOutput:
        encoded = self.encode(inputs)
        fused = self.fuse(encoded.stack(), inputs.present)
        return FusionOutput(prediction=self.head(fused), embeddings=encoded.vectors, fused=fused)

    def fuse(self, h: Tensor, present: Tensor) -> Tensor:
        """(B,M,d), (B,M) bool -> (B,d)."""
        if self.interact is None or self.gate is None:
            return h[:, 0]
        others, there = h[:, self.others], present[:, self.others]
        second = masked_mean(others, there) if self.join is None else self.join(others.flatten(1))
        both = present[:, self.lead] & there.any(-1)
        r = h + self.interact(h[:, self.lead], second, both)[:, None]
        confidence: Tensor = self.gate(r, present)
        share: Tensor = confidence / confidence.sum(-1, keepdim=True).clamp(min=1e-12)
        if self.top < h.shape[1]:
            share = keep_top(share, self.top)
        fused: Tensor = (share[..., None] * r).sum(1)
        return fused
