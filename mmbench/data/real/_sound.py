"""Recordings as spectrograms: log-mel energies in decibels below the loudest, as bytes.

Computed in float64 and rounded to 256 steps, so that the content is the same on every machine.
"""

from functools import cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from scipy.io import wavfile

from mmbench.core.errors import MmbenchError

RATE = 8000  # samples a second
SAMPLES = 8192  # of a clip, thus 1.024 s
WINDOW = 512  # samples, thus 64 ms
POINTS = 1024  # of the transform, so that low mel bands have a bin
RANGE = 60.0  # dB from the loudest value down to 0

Signal = NDArray[np.float64]


def decode(content: bytes) -> Signal:
    """(n,) of a mono WAV of 16 bits at 8 kHz, from -1 to 1.

    Raises:
        MmbenchError: if it is another.
    """
    try:
        rate, samples = wavfile.read(BytesIO(content))
    except ValueError as error:
        raise MmbenchError(f"a recording cannot be read: {error}") from None
    if rate != RATE or samples.dtype != np.int16 or samples.ndim != 1:
        raise MmbenchError(f"a recording has {rate} Hz, {samples.dtype}, shape {samples.shape}: not 8 kHz mono int16")
    signal: Signal = samples / 32768.0
    return signal


def clip(signal: Signal) -> Signal:
    """(SAMPLES,): the middle of a recording, or all of it in the middle of silence."""
    cut = max(len(signal) - SAMPLES, 0) // 2
    kept = signal[cut : cut + SAMPLES]
    before = (SAMPLES - len(kept)) // 2
    return np.pad(kept, (before, SAMPLES - len(kept) - before))


def spectrograms(signals: Signal, size: int) -> NDArray[np.uint8]:
    """Log-mel spectrograms, low bands first.

    Args:
        signals: (N,SAMPLES).
        size: bands, and frames.

    Returns:
        (N,size,size): 255 is the loudest value of a clip, 0 is ``RANGE`` dB and more below it.
    """
    starts = np.linspace(0, SAMPLES - WINDOW, size).round().astype(int)
    frames = signals[:, starts[:, None] + np.arange(WINDOW)] * np.hanning(WINDOW)
    power = np.square(np.abs(np.fft.rfft(frames, POINTS)))
    energy = (power @ _filters(size).T).transpose(0, 2, 1)
    loudest = energy.max((1, 2), keepdims=True)
    decibels = 10 * np.log10(np.maximum(energy, 1e-12) / np.maximum(loudest, 1e-12))
    return np.asarray(np.rint(np.clip(1 + decibels / RANGE, 0, 1) * 255), dtype=np.uint8)


@cache
def _filters(bands: int) -> Signal:
    """(bands, POINTS/2+1): triangles, equally wide in mel, from 0 to half the rate."""
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, bands + 2) / 2595) - 1)
    frequency = np.fft.rfftfreq(POINTS, 1 / RATE)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (frequency - low) / (centre - low), (high - frequency) / (high - centre)
    return np.maximum(0, np.minimum(rising, falling))
