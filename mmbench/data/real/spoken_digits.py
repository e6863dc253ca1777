"""Spoken digits: real recordings, each with a real handwritten digit; neither is degraded."""

from typing import Literal

import numpy as np
from sklearn.datasets import load_digits

from mmbench.data.draws import Seed, deal, stream, tables
from mmbench.data.real import _files, _sound
from mmbench.data.real.cards.digits import SPOKEN_SIDE, spoken_digits
from mmbench.data.source import SPLITS, Source

IMAGES = (1197, 300, 300)  # of each split
HELD_OUT = {"validation": ("nicolas",), "test": ("george", "theo")}  # speakers


def build(*, split: Literal["recordings", "speakers"] = "recordings", seed: Seed = 0) -> Source:
    """The dataset.

    ``image`` (1,8,8): scikit-learn's digits, 0 to 16. ``audio`` (1,32,32): log-mel spectrogram of a
    recording of the same digit. Both are bytes. No image stands in two splits; within a split, images
    are reused where there are more recordings.

    Args:
        split: ``recordings`` is that of the source: 0 to 4 of each speaker and digit are the test,
            and here 5 to 9 the validation. ``speakers`` keeps speakers apart, which is much harder.
        seed: of the images' split and the pairs.
    """
    task = spoken_digits()
    table = _files.parquet("fsdd", "fsdd")
    spoken, index, speaker = (np.array(table[name]) for name in ("digit", "index", "speaker"))
    if split == "recordings":
        parts = {"train": index >= 10, "validation": (index >= 5) & (index < 10), "test": index < 5}
    else:
        parts = {name: np.isin(speaker, held) for name, held in HELD_OUT.items()}
        parts["train"] = ~(parts["validation"] | parts["test"])
    clips = np.stack([_sound.clip(_sound.decode(sound["bytes"])) for sound in table["audio"]])
    audio = _sound.spectrograms(clips, SPOKEN_SIDE)
    images, written = load_digits(return_X_y=True)
    dealt = deal(stream(seed, "images"), written, IMAGES)
    columns = {}
    for name in SPLITS:
        rows, rng = np.flatnonzero(parts[name]), stream(seed, f"pairs {name}")
        pair = np.empty(len(rows), dtype=np.int64)
        for digit in range(10):
            mine, theirs = np.flatnonzero(spoken[rows] == digit), dealt[name][written[dealt[name]] == digit]
            rounds = [rng.permutation(theirs) for _ in range(-(-len(mine) // len(theirs)))]
            pair[mine] = np.concatenate(rounds)[: len(mine)]
        columns[name] = {
            "image": images[pair].reshape(-1, 1, 8, 8).astype(np.uint8),
            "audio": audio[rows][:, None],
            "target": spoken[rows].astype(np.int64),
        }
        if split == "speakers":
            columns[name]["group"] = np.unique(speaker, return_inverse=True)[1][rows].astype(np.int64)
    return Source(task, tables(task, columns))
