"""Sounds like spoken digits, from a source-filter model of the voice; there is no recording in them.

Source: a waveform of pulses at the speaker's pitch, which falls or rises over the word, and one of
white noise, both at 8 kHz. Filter: a word is a chain of phones, each with three formants F_k, an
amount of voice and of friction, and the frequency c of the friction; between the middles of
neighbouring phones they move in a straight line. In the short-time spectrum (Hann window of 32 ms
every 25 ms) the pulses are multiplied by Σ_k g_k / (1 + ((f - F_k)/w_k)²), a resonance for each
formant, the noise by exp(-(f - c)²/2·700²), and both by an envelope that opens and closes the word.
The white noise of the room is added as a waveform of its own. The spectrogram is the logarithm of
the power, averaged in 20 bands of equal width on the mel scale.

Every sample has its own pitch, intonation, length of the vocal tract (a factor on its formants),
formants, phone lengths, speed, onset and loudness.
"""

from math import log10

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from mmbench.data.draws import Array
from mmbench.data.embedded.tasks import BANDS, FRAMES

RATE, WINDOW, HOP = 8000, 256, 200  # samples a second, a window, a step
SAMPLES = WINDOW + HOP * (FRAMES - 1)
FREQUENCIES = np.fft.rfftfreq(WINDOW, 1 / RATE)
TIMES = (np.arange(FRAMES) * HOP + WINDOW / 2) / SAMPLES  # of the frames' middles, as shares of the recording

# Formants F1, F2, F3 in Hz, voice, friction, frequency of the friction in Hz. Rounded textbook-like
# values: they need to differ as phones do, not to be anybody's measurements.
PHONES = {
    "AH": (640, 1200, 2400, 1.0, 0.0, 2500),
    "AO": (570, 850, 2400, 1.0, 0.0, 2500),
    "AY": (700, 1250, 2500, 1.0, 0.0, 2500),
    "EH": (550, 1850, 2500, 1.0, 0.0, 2500),
    "EY": (480, 2050, 2600, 1.0, 0.0, 2500),
    "IH": (400, 2000, 2600, 1.0, 0.0, 2500),
    "IY": (300, 2300, 3000, 1.0, 0.0, 2500),
    "OW": (450, 900, 2400, 1.0, 0.0, 2500),
    "UW": (320, 900, 2250, 1.0, 0.0, 2500),
    "N": (280, 1500, 2500, 0.5, 0.0, 2500),
    "R": (420, 1250, 1650, 0.8, 0.0, 2500),
    "W": (300, 650, 2200, 0.8, 0.0, 2500),
    "V": (300, 1100, 2300, 0.5, 0.25, 2800),
    "Z": (300, 1700, 2500, 0.4, 0.5, 3500),
    "F": (350, 1100, 2300, 0.0, 0.4, 2600),
    "K": (350, 1900, 2500, 0.0, 0.7, 2200),
    "S": (350, 1700, 2500, 0.0, 0.9, 3600),
    "T": (350, 1800, 2600, 0.0, 0.8, 3200),
    "TH": (350, 1400, 2500, 0.0, 0.3, 3000),
}
WORDS = (
    "Z IH R OW",
    "W AH N",
    "T UW",
    "TH R IY",
    "F AO R",
    "F AY IY V",
    "S IH K S",
    "S EH V AH N",
    "EY IY T",
    "N AY IY N",
)
FORMANT_GAINS, FORMANT_WIDTHS = np.array([1.0, 0.6, 0.35]), np.array([90.0, 120.0, 180.0])


def spectrograms(rng: Generator, digits: NDArray[np.integer], noise: float) -> Array:
    """A spoken version of each digit.

    Args:
        rng: of everything that varies.
        digits: (N,) from 0 to 9.
        noise: standard deviation of the room's waveform; the voice's pulses have a mean square of 1.

    Returns:
        (N,1,BANDS,FRAMES) log power.
    """
    tracks, envelope = _articulation(rng, digits)
    formants, voice, friction, centre = np.split(tracks[..., None], (3, 4, 5), axis=2)
    resonance = 1 / (1 + ((FREQUENCIES - formants) / FORMANT_WIDTHS[:, None]) ** 2)
    vocal = np.einsum("ntkf,k->ntf", resonance, FORMANT_GAINS) * voice[:, :, 0]
    hiss = 0.3 * np.exp(-(((FREQUENCIES - centre[:, :, 0]) / 700) ** 2) / 2) * friction[:, :, 0]
    white = rng.standard_normal((2, len(digits), SAMPLES))
    spectrum = _short_time(_pulses(rng, len(digits))) * vocal + _short_time(white[0]) * hiss
    spectrum = spectrum * envelope[..., None] + noise * _short_time(white[1])
    power = np.abs(spectrum) ** 2 @ _bands()
    heard: Array = np.log(power + 1e-3).transpose(0, 2, 1)[:, None]
    return heard


def _articulation(rng: Generator, digits: NDArray[np.integer]) -> tuple[Array, Array]:
    """The columns of PHONES over time (N,FRAMES,6), and the loudness of the word (N,FRAMES)."""
    tract = np.exp(rng.normal(0, 0.08, len(digits)))
    length = rng.uniform(0.55, 0.9, len(digits))
    onset = rng.uniform(0, 1, len(digits)) * (1 - length)
    inside = (TIMES - onset[:, None]) / length[:, None]  # 0 at the start of the word, 1 at its end
    loudness = np.exp(rng.normal(0, 0.35, len(digits)))
    tracks = np.empty((len(digits), FRAMES, 6))
    for i, digit in enumerate(digits):
        phones = np.array([PHONES[name] for name in WORDS[digit].split()])
        phones[:, :3] *= tract[i] * np.exp(rng.normal(0, 0.06, (len(phones), 3)))
        lengths = np.exp(rng.normal(0, 0.25, len(phones)))
        middles = (np.cumsum(lengths) - lengths / 2) / lengths.sum()
        for column in range(6):
            tracks[i, :, column] = np.interp(inside[i], middles, phones[:, column])
    return tracks, loudness[:, None] * np.clip(np.minimum(inside, 1 - inside) * 8, 0, 1)


def _pulses(rng: Generator, count: int) -> Array:
    """Pulse trains (N,SAMPLES) of speakers around 150 Hz, at a mean square of 1."""
    pitch = np.exp(rng.normal(np.log(150), 0.25, count))[:, None]
    slope = rng.uniform(-0.3, 0.1, count)[:, None]
    cycles = np.cumsum(pitch * (1 + slope * np.arange(SAMPLES) / SAMPLES), axis=1) / RATE
    return np.diff(np.floor(cycles), axis=1, prepend=0) * np.sqrt(RATE / pitch)


def _short_time(waves: Array) -> NDArray[np.complex128]:
    """Short-time spectrum of waveforms (N,SAMPLES). -> (N,FRAMES,WINDOW/2+1)."""
    frames = np.lib.stride_tricks.sliding_window_view(waves, WINDOW, axis=1)[:, ::HOP]
    return np.fft.rfft(frames * np.hanning(WINDOW), axis=-1)


def _bands() -> Array:
    """Weights (WINDOW/2+1,BANDS) that average the frequencies of each mel band from 80 to 4000 Hz."""
    low, high = _mel(80.0), _mel(RATE / 2)
    band = np.array([(_mel(hertz) - low) / (high - low) * BANDS // 1 for hertz in FREQUENCIES])
    members = (band[:, None] == np.arange(BANDS)).astype(np.float64)
    weights: Array = members / members.sum(0)
    return weights


def _mel(hertz: float) -> float:
    return 2595 * log10(1 + hertz / 700)
