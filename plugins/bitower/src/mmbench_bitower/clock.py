"""One clock for sequences of different lengths and rates."""

import torch
from torch import Tensor, nn

from mmbench import Modality


def steps_of(sequences: list[Modality], most: int) -> int:
    """Steps of the common clock: frames of the fastest sequence over the longest duration, 2 to ``most``."""
    duration = max(m.shape[0] / m.rate for m in sequences)
    return min(max(round(duration * max(m.rate for m in sequences)), 2), most)


def overlaps(sequence: Modality, duration: float, steps: int) -> Tensor:
    """(S,T): the share of step s that frame t covers, each frame lasting from t/rate to (t+1)/rate seconds."""
    step = torch.arange(steps + 1, dtype=torch.float64) * (duration / steps)
    frame = torch.arange(sequence.shape[0] + 1, dtype=torch.float64) / sequence.rate
    begin = torch.maximum(step[:-1, None], frame[:-1])
    end = torch.minimum(step[1:, None], frame[1:])
    share = (end - begin).clamp(min=0) / (duration / steps)
    return share.masked_fill(share < 1e-6, 0).float()  # rounding is no overlap


class Resample(nn.Module):
    """Tokens of a sequence on the common clock: the mean of the real frames that a step overlaps, by overlap.

    A slower sequence is held, a faster one averaged; one on the same clock passes as it is.

    Args:
        sequence: the modality.
        duration: of the clock in seconds.
        steps: S.

    Shapes:
        (B,T,d), (B,T) bool -> (B,S,d), (B,S) bool: where there is a real frame.
    """

    share: Tensor

    def __init__(self, sequence: Modality, duration: float, steps: int) -> None:
        super().__init__()
        self.register_buffer("share", overlaps(sequence, duration, steps))

    def forward(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        real = mask.to(tokens.dtype)
        covered = real @ self.share.T
        total = self.share @ (tokens * real[..., None])
        here = covered > 0
        return total / torch.where(here, covered, 1.0)[..., None], here
