"""Images and sounds from the bytes of their files; the same numbers on every machine with these libraries."""

import io
import struct
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from mmbench.data.own.modality import Sound

MODES = {1: "L", 3: "RGB"}
DEEP = ("I", "F")  # modes of more than 8 bits begin so; to turn them into 8 is a choice that is not ours
QUIET = 1e-10  # power below which nothing is told apart: -100 dB
DECIMALS = 4
LEAST_POINTS = 512  # of a Fourier transform, so that low bands are not empty


class UndecodableError(ValueError):
    """The bytes are no image or no sound that can be read; the message says why."""


def image(content: bytes, channels: int, size: Sequence[int]) -> NDArray[np.uint8]:
    """An image file as (C,H,W).

    Args:
        content: of the file.
        channels: 1 for grey, 3 for colour.
        size: height and width to resize to, bilinear; empty leaves it.

    Raises:
        UndecodableError: if Pillow cannot read it, or it has more than 8 bits a channel.
    """
    try:
        with Image.open(io.BytesIO(content)) as opened:
            if opened.mode.startswith(DEEP):
                raise UndecodableError(f"is an image of mode {opened.mode}; convert it to 8 bits a channel")
            picture: Image.Image = ImageOps.exif_transpose(opened).convert(MODES[channels])
            if size:
                picture = picture.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    except UndecodableError:
        raise
    except UnidentifiedImageError:
        raise UndecodableError("is no image that Pillow can read") from None
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, Image.DecompressionBombError) as error:
        raise UndecodableError(f"is a damaged image: {error}") from None
    pixels = np.asarray(picture, dtype=np.uint8)
    return np.ascontiguousarray(pixels[None] if channels == 1 else pixels.transpose(2, 0, 1))


def wav(content: bytes) -> tuple[int, NDArray[np.float64]]:
    """A WAV file as its sample rate and samples (N,) in -1 to 1, channels averaged.

    Raises:
        UndecodableError: if it cannot be read, is cut short, empty or not finite.
    """
    from scipy.io import wavfile

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            rate, samples = wavfile.read(io.BytesIO(content))
        except Exception as error:  # scipy raises whatever its parsing ran into
            raise UndecodableError(f"is no WAV file that can be read: {error}") from None
    if any("EOF" in str(warning.message) for warning in told):
        raise UndecodableError("is a WAV file that is cut short")
    values = _full_scale(samples)
    if not values.size:
        raise UndecodableError("is a WAV file without samples")
    if not np.isfinite(values).all():
        raise UndecodableError("holds samples that are NaN or infinite")
    return int(rate), values.mean(1) if values.ndim > 1 else values


def log_mel(samples: NDArray[np.float64], rate: int, sound: Sound) -> NDArray[np.float32]:
    """Natural logarithm of the power in mel bands, (frames, mels), rounded to 4 decimals.

    Hann windows; triangular bands between 0 Hz and half the rate, evenly spaced on O'Shaughnessy's
    mel scale, 2595·log10(1 + f/700). A sound shorter than a window is filled with silence.

    Args:
        samples: (N,) in -1 to 1.
        rate: of them, a second.
        sound: the settings.

    Raises:
        UndecodableError: if the settings do not fit the rate.
    """
    width, hop = round(sound.window * rate), round(sound.hop * rate)
    if width < 2 or hop < 1:
        raise UndecodableError(f"has {rate} samples a second: window and hop are too short for that")
    if sound.seconds:
        count = round(sound.seconds * rate)
        samples = np.pad(samples[:count], (0, max(0, count - len(samples))))
    samples = np.pad(samples, (0, max(0, width - len(samples))))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(width) / width)
    points = 2 ** int(np.ceil(np.log2(max(2 * width, LEAST_POINTS))))
    bank = _bands(sound.mels, points, rate)
    frames = np.lib.stride_tricks.sliding_window_view(samples, width)[::hop]
    power = np.abs(np.fft.rfft(frames * window, points)) ** 2 / window.sum() ** 2
    logs: NDArray[np.float64] = np.log(np.maximum(power @ bank, QUIET)).round(DECIMALS) + 0.0  # no negative zero
    return logs.astype(np.float32)


def _bands(mels: int, points: int, rate: int) -> NDArray[np.float64]:
    """Weights (points // 2 + 1, mels) of frequencies in bands."""
    highest = 2595 * np.log10(1 + rate / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, highest, mels + 2) / 2595) - 1)
    frequencies = np.arange(points // 2 + 1)[:, None] * (rate / points)
    rising = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
    bank: NDArray[np.float64] = np.maximum(0, np.minimum(rising, falling))
    if not bank.any(0).all():
        raise UndecodableError(f"cannot be told apart in {mels} bands; use fewer mels or a longer window")
    return bank


def _full_scale(samples: NDArray[Any]) -> NDArray[np.float64]:
    if samples.dtype == np.uint8:  # 8-bit WAV files alone have no sign
        return (samples.astype(np.float64) - 128) / 128
    scale = -float(np.iinfo(samples.dtype).min) if samples.dtype.kind == "i" else 1.0
    return samples.astype(np.float64) / scale
