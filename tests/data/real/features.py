"""Simple features of the real data, as their README describes them for its sanity figures. NumPy alone."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def log_mel(sound: Array, rate: int, bands: int = 24, frames: int = 16, size: int = 256) -> Array:
    """(bands * frames,) of a sound (S,): log power in mel bands, in windows evenly spaced over the whole sound.

    Windows are of ``size`` samples (Hann); the bands are triangles, evenly spaced on the mel scale
    2595 log10(1 + f/700) from 0 to half the rate. A sound shorter than a window is padded with silence.
    """
    sound = np.pad(sound.astype(float) / 2**15, (0, max(0, size - len(sound))))
    starts = np.linspace(0, len(sound) - size, frames).round().astype(int)
    windows = sound[starts[:, None] + np.arange(size)] * np.hanning(size)
    power = np.square(np.abs(np.fft.rfft(windows, axis=1)))
    return np.log(power @ mel_bands(rate, bands, size).T + 1e-6).reshape(-1)


def mel_bands(rate: int, bands: int, size: int) -> Array:
    """(bands, size//2+1) triangular weights."""
    top = 2595 * np.log10(1 + rate / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, bands + 2) / 2595) - 1)
    low, middle, high = (part[:, None] for part in (edges[:-2], edges[1:-1], edges[2:]))
    hertz = np.fft.rfftfreq(size, 1 / rate)
    return np.clip(np.minimum((hertz - low) / (middle - low), (high - hertz) / (high - middle)), 0, None)


def window_statistics(windows: Array, spectrum: int = 32) -> Array:
    """(N, C * (4 + spectrum)) of windows (N,T,C): mean, deviation, least, largest, lowest log spectrum."""
    moments = [windows.mean(1), windows.std(1), windows.min(1), windows.max(1)]
    size = np.abs(np.fft.rfft(windows - windows.mean(1, keepdims=True), axis=1))[:, 1 : spectrum + 1]
    return np.concatenate([*moments, np.log(size + 1e-3).reshape(len(windows), -1)], axis=1)


def resampled(frames: Array, steps: int) -> Array:
    """(steps,C) of frames (T,C): linear interpolation at evenly spaced times."""
    here = np.linspace(0, len(frames) - 1, steps)
    return np.stack([np.interp(here, np.arange(len(frames)), column) for column in frames.T], axis=1)


def clips(values: Array, offset: Array) -> list[Array]:
    """Clip i is rows offset[i] to offset[i+1]."""
    return [values[start:end] for start, end in pairwise(offset)]


def inertial_features(recordings: Sequence[Array]) -> Array:
    """(N, 32 * 6)."""
    return np.stack([resampled(frames, 32).reshape(-1) for frames in recordings])


def skeleton_features(recordings: Sequence[Array], centre: int = 3) -> Array:
    """(N, 16 * 60) of clips (T,20,3), relative to the hip centre of the first frame."""
    return np.stack(
        [resampled((joints - joints[0, centre]).reshape(len(joints), -1), 16).reshape(-1) for joints in recordings]
    )


def motion_images(depth: Array) -> Array:
    """(N, 30 * 40) of depth videos (N,T,60,80): absolute differences of frames, summed over time and 2×2 pixels.

    The README names no resolution. At the full one, 4800 numbers drown the 1152 of the other two
    modalities in their concatenation (72 % instead of 80 %).
    """
    summed = np.abs(np.diff(depth.astype(np.float32), axis=1)).sum(1)
    return summed.reshape(len(depth), 30, 2, 40, 2).sum((2, 4)).reshape(len(depth), -1)


def one_hot(values: Array) -> Array:
    """(N, kinds)."""
    return (values[:, None] == np.unique(values)).astype(float)
