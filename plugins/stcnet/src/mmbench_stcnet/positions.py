"""When a frame is, and of which modality: what attention knows of frames besides their content."""

from collections.abc import Sequence
from math import log

import torch
from torch import Tensor, nn

from mmbench import Inputs, Modality, Task


class Positions(nn.Module):
    """Sinusoidal encoding of a frame's time, plus a learned embedding of its modality, zero at the start.

    The time of frame i is i/rate, in periods of the fastest modality: at equal rates it is i, at
    different ones equal codes mean equal times. Irregularly sampled modalities have ``Inputs.times``.
    All positions of an image, and a vector, are at time 0. One modality alone needs no embedding.

    Args:
        task: gives modalities and rates.
        steps: T_m of each.
        width: d.

    Shapes:
        -> (1 or B, ΣT_m, d).
    """

    modality: nn.Parameter | None

    def __init__(self, task: Task, steps: Sequence[int], width: int) -> None:
        super().__init__()
        self.names, self.width = task.names, width
        self.fastest = max((m.rate for m in task.modalities if _clocked(m)), default=1.0)
        codes = []
        for modality, count in zip(task.modalities, steps, strict=True):
            times = torch.arange(count) / modality.rate if _clocked(modality) else torch.zeros(count)
            codes.append(sinusoid(times * self.fastest, width))
        for i, code in enumerate(codes):
            self.register_buffer(f"code{i}", code, persistent=False)
        self.modality = nn.Parameter(torch.zeros(len(codes), width)) if len(codes) > 1 else None

    def forward(self, inputs: Inputs) -> Tensor:
        codes = []
        for i, name in enumerate(self.names):
            code: Tensor = getattr(self, f"code{i}")[None]
            if name in inputs.times:
                code = sinusoid(inputs.times[name].to(code.dtype) * self.fastest, self.width)
            codes.append(code if self.modality is None else code + self.modality[i])
        rows = max(len(code) for code in codes)
        return torch.cat([code.expand(rows, -1, -1) for code in codes], 1)


def sinusoid(times: Tensor, width: int) -> Tensor:
    """sin and cos of t·10000^{-2i/d}, i < d/2 (Vaswani et al. 2017, arXiv:1706.03762, §3.5). (…) -> (…,d)."""
    pairs = torch.arange((width + 1) // 2, device=times.device)
    angles = times[..., None] * torch.exp(pairs * (-2 * log(10_000) / width))
    return torch.cat([angles.sin(), angles.cos()], -1)[..., :width]


def _clocked(modality: Modality) -> bool:
    return modality.timed or modality.kind == "spectrogram"
