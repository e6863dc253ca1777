"""Digits seen and heard: scikit-learn's real handwritten digits, each with a synthetic spoken one.

Noise is such that a small network gets about .8 from either modality and clearly more from both.
"""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from mmbench.core.parameters import Range
from mmbench.data.draws import Columns, Seed, deal, rounded, stream, tables
from mmbench.data.embedded import tasks
from mmbench.data.embedded._speech import spectrograms
from mmbench.data.source import Source

SIZES = (1000, 297, 500)


def build(
    *,
    image_noise: Annotated[float, Range(0, 5)] = 0.34,
    audio_noise: Annotated[float, Range(0, 5)] = 0.27,
    seed: Seed = 0,
) -> Source:
    """The dataset.

    ``image`` (1,8,8): pixels from 0 to 1, plus Gaussian noise. ``audio`` (1,20,20): log spectrogram
    of a synthetic voice that says the same digit (how, the module ``_speech`` says). Given the digit,
    the two are independent.

    Args:
        image_noise: standard deviation of the pixels' noise.
        audio_noise: of the room's noise, in the voice's root mean square before its filter.
        seed: of the stratified split, the noise and the voices.
    """
    images, digits = load_digits(return_X_y=True)
    task = tasks.avdigits()

    def draw(name: str, rows: NDArray[np.int64]) -> Columns:
        pixels = images[rows].reshape(-1, 1, 8, 8) / 16
        rng = stream(seed, name)
        return {
            "image": rounded(pixels + image_noise * rng.standard_normal(pixels.shape)),
            "audio": rounded(spectrograms(rng, digits[rows], audio_noise)),
            "target": digits[rows].astype(np.int64),
        }

    parts = deal(stream(seed, "split"), digits, SIZES)
    return Source(task, tables(task, {name: draw(name, rows) for name, rows in parts.items()}))
