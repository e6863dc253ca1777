"""One modality as a stream of frames: what stands before the modalities meet."""

from math import prod

import torch
from torch import Tensor, nn

from mmbench import Encoding, Inputs, Modality, Task, make_encoder
from mmbench_stcnet.convolution import TemporalNetwork


class Stream(nn.Module):
    """Frames (B,T,d) of one modality, and which of them are real, (B,T) bool.

    What has a time axis goes through a causal TCN: the frames of a sequence (images each through the
    harness's CNN), the columns of a spectrogram, the harness's tokens of a text. What has none, an
    image or a vector, gives the harness's tokens as they are: positions of a map, or one.

    No frame sees a later one, so that padding at the end reaches no real frame.

    Args:
        modality: to be encoded.
        width: d.
        levels, kernel, dropout: of the TCN.

    Attributes:
        steps: T.
    """

    def __init__(self, modality: Modality, width: int, levels: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.kind, self.steps = modality.kind, timesteps(modality)
        self.encoder: nn.Module | None = None
        incoming = width
        if modality.kind in ("vector", "image", "tokens"):
            self.encoder = make_encoder(modality, width)
            if modality.kind == "image":
                self.steps = _tokens(self.encoder, modality)
        elif len(modality.shape) == 4:
            # As in the harness's own encoder of sequences: the CNN whose positions have weights of their own.
            self.encoder = make_encoder(Modality(modality.name, "spectrogram", modality.shape[1:]), width)
        else:
            incoming = numbers(modality)
        timed = modality.timed or modality.kind == "spectrogram"
        self.network = TemporalNetwork(incoming, width, levels, kernel, dropout) if timed else nn.Identity()

    def forward(self, values: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        if self.encoder is None:
            frames = as_frames(values, self.kind)
        elif values.dim() == 5:
            each: Encoding = self.encoder(values.flatten(0, 1))
            frames = each.stages[-1].reshape(*values.shape[:2], -1)
        else:
            all_at_once: Encoding = self.encoder(values, lengths)
            frames = all_at_once.tokens
        return self.network(frames), real_frames(frames, lengths)


class Streams(nn.Module):
    """All modalities: {m: (B,T_m,d)} frames, zero where not real, and {m: (B,T_m)} which are real and present.

    Attributes:
        steps: T_m of each, in the task's order.
    """

    def __init__(self, task: Task, width: int, levels: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.names = task.names
        streams = [Stream(modality, width, levels, kernel, dropout) for modality in task.modalities]
        self.streams, self.steps = nn.ModuleList(streams), [stream.steps for stream in streams]

    def forward(self, inputs: Inputs) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        frames, masks = {}, {}
        for name, stream in zip(self.names, self.streams, strict=True):
            found, real = stream(inputs.values[name], inputs.lengths.get(name))
            masks[name] = real & inputs.here(name)[:, None]
            frames[name] = torch.where(masks[name][..., None], found, found.new_zeros(()))
        return frames, masks


def timesteps(modality: Modality) -> int:
    """How many frames the raw values have: one, where there is no time axis."""
    if modality.kind == "spectrogram":
        return modality.shape[-1]
    return modality.shape[0] if modality.timed else 1


def numbers(modality: Modality) -> int:
    """How many numbers a raw frame has."""
    return prod(modality.shape) // timesteps(modality)


def as_frames(values: Tensor, kind: str) -> Tensor:
    """(B,*shape) -> (B,T,numbers): the raw frames."""
    if kind == "spectrogram":
        return values.flatten(1, 2).transpose(1, 2)
    return values.flatten(2) if kind == "sequence" else values.flatten(1)[:, None]


def real_frames(frames: Tensor, lengths: Tensor | None) -> Tensor:
    """(B,T) bool: within the length; all of them if there is none."""
    steps = torch.arange(frames.shape[1], device=frames.device)
    return steps < lengths[:, None] if lengths is not None else (steps >= 0).expand(frames.shape[:2])


def _tokens(encoder: nn.Module, image: Modality) -> int:
    """How many tokens the harness's encoder makes of an image."""
    with torch.no_grad():
        encoding: Encoding = encoder(torch.zeros(1, *image.shape))
    return encoding.tokens.shape[1]
