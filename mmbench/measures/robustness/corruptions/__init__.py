"""Corruptions by name: which kinds of modality each fits, and whether it also strikes all modalities at once."""

from mmbench.core.modality import KINDS, Kind
from mmbench.measures.robustness.corruptions.base import Corruption, on_values
from mmbench.measures.robustness.corruptions.images import blur, occlusion
from mmbench.measures.robustness.corruptions.partners import shuffle
from mmbench.measures.robustness.corruptions.time import frames, jitter, lag, masks
from mmbench.measures.robustness.corruptions.values import dropout, noise

NUMERIC: tuple[Kind, ...] = ("image", "spectrogram", "sequence", "vector")

CORRUPTIONS = (
    Corruption("noise", NUMERIC, on_values(noise), joint=True),
    Corruption("dropout", KINDS, on_values(dropout), joint=True),
    Corruption("frames", ("sequence", "spectrogram"), on_values(frames)),
    Corruption("lag", ("sequence",), on_values(lag), drawn=False),
    Corruption("jitter", ("sequence",), on_values(jitter)),
    Corruption("blur", ("image",), on_values(blur), drawn=False),
    Corruption("occlusion", ("image",), on_values(occlusion)),
    Corruption("masks", ("spectrogram",), on_values(masks)),
    Corruption("shuffle", KINDS, shuffle, joint=True, alone=False),
)

__all__ = ["CORRUPTIONS", "Corruption"]
