"""The common grid on which early fusion lays modalities side by side."""

from dataclasses import dataclass, replace
from math import prod

from mmbench import Kind, Modality

IMAGES: tuple[Kind, ...] = ("image", "spectrogram")


@dataclass(frozen=True)
class Grid:
    """Where samples of every modality are placed, so that only channels differ.

    Attributes:
        kind: ``vector``, ``image``, ``spectrogram`` or ``sequence``.
        steps, rate: frames and frames a second of a sequence.
        size: (H,W) of an image or of a sequence's frames; empty where frames have none.
        encoder: the harness's encoder that modalities of this kind ask for.
    """

    kind: Kind
    steps: int = 0
    rate: float = 1.0
    size: tuple[int, ...] = ()
    encoder: str = ""

    def modality(self, channels: int) -> Modality:
        """All of it as one modality."""
        time = (self.steps,) if self.kind == "sequence" else ()
        return Modality("all", self.kind, (*time, channels, *self.size), rate=self.rate, encoder=self.encoder)

    def view(self, modality: Modality) -> Modality:
        """The modality as it enters: flattened where the grid is a vector, each frame of it where the
        grid has no pixels."""
        if self.kind == "sequence" and not self.size and len(modality.shape) > 2:
            steps, *frame = modality.shape
            return replace(modality, shape=(steps, prod(frame)))
        if self.kind != "vector" or modality.kind == "vector":
            return modality
        width = modality.vocabulary if modality.kind == "tokens" else prod(modality.shape)
        return Modality(modality.name, "vector", (width,))

    @property
    def channel_axis(self) -> int:
        """Of a batch on the grid, from the end."""
        return -1 - len(self.size)


def channels(view: Modality) -> int:
    """How many numbers a frame, pixel or vector of a modality has."""
    return view.shape[0] if view.kind != "sequence" else view.shape[1]


def common_grid(modalities: tuple[Modality, ...]) -> Grid:
    """The grid for a set of modalities.

    - Vectors alone: a vector.
    - Sequences, and vectors: the longest duration at as many frames as the longest sequence has
      (so sequences of equal T and rate keep their clock). Frames of the largest H and W if all of
      them are images; else the pixels of those that are become channels.
    - Images and spectrograms, and vectors: the largest H and W, a spectrogram if one is among them.
    - Anything else: all flattened into one vector, tokens as counts of words.
    """
    kinds = {modality.kind for modality in modalities} - {"vector"}
    if kinds == {"sequence"}:
        grid = _time(modalities)
    elif kinds and kinds <= set(IMAGES):
        grid = Grid("spectrogram" if "spectrogram" in kinds else "image", size=_size(modalities))
    else:
        grid = Grid("vector")
    alike = [modality.encoder for modality in modalities if modality.kind == grid.kind]
    return replace(grid, encoder=alike[0] if alike else "")


def _time(modalities: tuple[Modality, ...]) -> Grid:
    timed = [modality for modality in modalities if modality.kind == "sequence"]
    steps = max(modality.shape[0] for modality in timed)
    seconds = max(modality.shape[0] / modality.rate for modality in timed)
    images = all(len(modality.shape) == 4 for modality in timed)
    return Grid("sequence", steps, steps / seconds, _size(modalities) if images else ())


def _size(modalities: tuple[Modality, ...]) -> tuple[int, ...]:
    sizes = [modality.shape[-2:] for modality in modalities if len(modality.shape) > 2]
    return tuple(max(side) for side in zip(*sizes, strict=True))
