"""Augmentations of the train split. This module is the plugin of the built-in ones, and imports no torch.

They compose onto one method (``late[loss=noise(scale=0.2)]``), or onto every method of a run
(``mmbench run --augment 'noise(scale=0.2)+modality-dropout'``).
"""

from mmbench.core.cards import TermCard
from mmbench.hooks import hookimpl


def _card(name: str, summary: str, build: str, makes_missing: bool = False) -> TermCard:
    return TermCard(name, f"augmentation: {summary}", f"mmbench.nn.augment.{build}", makes_missing=makes_missing)


@hookimpl
def mmbench_terms() -> list[TermCard]:
    return [
        _card("flip", "mirrors images and videos left to right", "images:Flip"),
        _card("crop", "moves images and videos by some pixels; what is left bare is zero", "images:Crop"),
        _card("rotate", "rotates images and videos", "images:Rotate"),
        _card("scale", "enlarges or shrinks images and videos", "images:Scale"),
        _card("warp", "rotates and scales images and videos, in one interpolation", "images:Warp"),
        _card("noise", "adds Gaussian noise to sequences, vectors and spectrograms", "noise:Noise"),
        _card("time-warp", "changes the tempo of sequences and spectrograms smoothly", "sequences:TimeWarp"),
        _card("shift", "moves sequences and spectrograms in time", "sequences:Shift"),
        _card("mask", "drops spans of sequences and tokens, patches of images, entries of vectors", "masks:Mask"),
        _card("modality-dropout", "makes whole modalities absent", "masks:ModalityDropout", makes_missing=True),
        _card("stride", "keeps every second frame of sequences, which become shorter", "sequences:Stride"),
        _card("crop-time", "keeps a part of sequences and tokens, which become shorter", "sequences:CropTime"),
    ]
