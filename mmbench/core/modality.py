"""A modality: one input stream of a sample."""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from mmbench.core.errors import MmbenchError

Kind = Literal["image", "spectrogram", "sequence", "vector", "tokens"]
KINDS: tuple[Kind, ...] = get_args(Kind)

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
TAKEN = ("target", "present", "group", "fused")  # columns of the data, and a key of embeddings

# Axes of one sample's values, by kind: what a shape has to look like.
AXES: dict[Kind, tuple[str, ...]] = {
    "image": ("C,H,W",),
    "spectrogram": ("C,H,W",),
    "sequence": ("T,C", "T,C,H,W"),
    "vector": ("D",),
    "tokens": ("T",),
}


@dataclass(frozen=True)
class Modality:
    """One input stream: its name, its kind and the shape of one sample.

    Args:
        name: the key under which its values stand in ``Inputs.values``: letters, digits, ``_``, ``-``
            and ``.``.
        kind: ``image``, ``spectrogram`` (C,H,W), ``sequence`` (T,C) or (T,C,H,W), ``vector`` (D,),
            ``tokens`` (T,). T is the longest length; shorter samples are padded with zeros.
        shape: of one sample, without the batch axis.
        vocabulary: number of token ids, 0 the padding; for ``tokens`` alone.
        rate: samples a second, for modalities whose clocks differ.
        encoder: the harness's encoder to use; empty is the default of the kind.

    Raises:
        MmbenchError: if the shape does not fit the kind, or the name means something else.
    """

    name: str
    kind: Kind
    shape: tuple[int, ...]
    vocabulary: int = 0
    rate: float = 1.0
    encoder: str = ""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or self.name in TAKEN:
            raise MmbenchError(
                f"modality name {self.name!r}: use letters, digits, '-', '_' and '.' alone, and none of {TAKEN}"
            )
        if self.kind not in KINDS:
            raise MmbenchError(f"modality {self.name!r}: kind {self.kind!r} is none of {KINDS}")
        ranks = {axes.count(",") + 1 for axes in AXES[self.kind]}
        if len(self.shape) not in ranks or min(self.shape, default=0) < 1:
            wanted = " or ".join(f"({axes})" for axes in AXES[self.kind])
            raise MmbenchError(f"modality {self.name!r}: a {self.kind} has shape {wanted}, not {self.shape}")
        if (self.kind == "tokens") != (self.vocabulary > 0):
            raise MmbenchError(f"modality {self.name!r}: vocabulary goes with tokens, and tokens need one")

    @property
    def timed(self) -> bool:
        """Whether samples have a length of their own (sequences and tokens)."""
        return self.kind in ("sequence", "tokens")
