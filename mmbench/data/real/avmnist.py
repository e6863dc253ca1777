"""AV-MNIST: handwritten digits seen and spoken, both degraded.

After Vielzeuf et al. 2018 (CentralNet): MNIST images of which most energy is removed, and spectrograms
of spoken digits in noise. Their files are not public and later versions differ from them, so figures
on them are not comparable with this one; here everything is fixed by the seed.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from mmbench.core.parameters import Range
from mmbench.data.draws import Array, Columns, Seed, deal, stream, tables
from mmbench.data.real import _files, _sound
from mmbench.data.real.cards.digits import AVMNIST_SIZES, avmnist
from mmbench.data.source import SPLITS, Source

AT_ONCE = 2_000  # images
NUMBERS = 2**22  # of the transforms of clips that are computed at a time by a thread, thus 64 MB
Clips = NDArray[np.float32]
VALIDATION = range(5, 10)  # indices of each speaker's recordings of each digit; 0 to 4 are the official test


def build(
    *,
    size: Literal["small", "full"] = "small",
    energy: Annotated[float, Range(0.01, 1)] = 0.25,
    snr: Annotated[float, Range(-40, 40)] = -12.0,
    n_train: Annotated[int, Range(0, 55_000)] = 0,
    seed: Seed = 0,
) -> Source:
    """The dataset.

    ``image`` (1,28,28): an MNIST image, projected on the principal components of the training images
    that hold a share of their variance. ``audio`` (1,S,S): a recording of the same digit plus
    environmental noise. Both are bytes. Images, recordings and noise clips of the splits are
    disjoint; within a split, recordings and noise are reused.

    Args:
        size: ``small`` has 5,000/1,000/2,000 pairs and S = 32; ``full`` 55,000/5,000/10,000 and S = 112.
        energy: share of the variance of images that is kept.
        snr: of recording to noise, in dB over the clip.
        n_train: training pairs; 0 is all of the size.
        seed: of the splits, the pairs and the noise.
    """
    side, sizes = AVMNIST_SIZES[size]
    task = avmnist(side)
    reduce = _Projection(_files.idx("mnist", "train-images-idx3-ubyte"), energy)
    images = _images(stream(seed, "images"), (n_train or sizes[0], *sizes[1:]))
    voices, noises = _voices(), _noises(stream(seed, "noises"))
    splits: dict[str, Columns] = {}
    for name in SPLITS:
        pixels, digits = images[name]
        audio, group = _spoken(stream(seed, f"audio {name}"), digits, voices[name], noises[name], snr, side)
        splits[name] = {
            "image": reduce(pixels)[:, None],
            "audio": audio[:, None],
            "target": digits.astype(np.int64),
            "group": group,
        }
    return Source(task, tables(task, splits))


class _Projection:
    """Images (N,28,28) of bytes, projected on the first principal components."""

    def __init__(self, train: NDArray[np.uint8], energy: float) -> None:
        flat = train.reshape(len(train), -1)
        self.mean = flat.mean(0, dtype=np.float64)
        parts = (flat[start : start + AT_ONCE] - self.mean for start in range(0, len(flat), AT_ONCE))
        variance, vectors = np.linalg.eigh(sum(part.T @ part for part in parts))
        share = np.cumsum(variance[::-1]) / variance.sum()
        self.basis = vectors[:, ::-1][:, : int(np.searchsorted(share, energy)) + 1]

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        kept = np.empty_like(images)
        for start in range(0, len(images), AT_ONCE):
            flat = images[start : start + AT_ONCE].reshape(-1, len(self.mean)) - self.mean
            near = self.mean + flat @ self.basis @ self.basis.T
            kept[start : start + AT_ONCE] = np.rint(np.clip(near, 0, 255)).reshape(-1, *images.shape[1:])
        return kept


def _images(rng: Generator, sizes: tuple[int, int, int]) -> dict[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Images and digits of each split; in proportion to the digits of MNIST's own splits."""
    found = {}
    for part, names in (("train", ("train", "validation")), ("t10k", ("test",))):
        pixels, digits = (
            _files.idx("mnist", f"{part}-images-idx3-ubyte"),
            _files.idx("mnist", f"{part}-labels-idx1-ubyte"),
        )
        wanted = [sizes[SPLITS.index(name)] for name in names]
        left = (len(digits) - sum(wanted), *(0 for _ in range(2 - len(wanted))))
        rows = deal(rng, digits, (*wanted, *left))  # type: ignore[arg-type]  # three parts, the last not used
        for name, mine in zip(names, rows.values(), strict=False):
            found[name] = pixels[mine], digits[mine]
    return found


def _voices() -> dict[str, dict[int, tuple[Clips, NDArray[np.int64]]]]:
    """For each split and digit, clips (n,SAMPLES), in the precision that 16 bits need, and the numbers of their
    recordings."""
    table = _files.parquet("fsdd", "fsdd")
    clips = np.stack([_sound.clip(_sound.decode(sound["bytes"])).astype(np.float32) for sound in table["audio"]])
    digit, index = np.array(table["digit"]), np.array(table["index"])
    of_test = np.array(table["split"]) == "test"
    parts = {"test": of_test, "validation": np.isin(index, VALIDATION), "train": ~of_test & (index >= VALIDATION.stop)}
    rows = np.arange(len(digit))
    return {
        name: {d: (clips[part & (digit == d)], rows[part & (digit == d)]) for d in range(10)}
        for name, part in parts.items()
    }


def _noises(rng: Generator) -> dict[str, Clips]:
    """Noise clips (n,16000) of each split; what was cut from one source recording stays together."""
    table = _files.parquet("esc50_noise", "esc50_fold4_8khz_2s")
    sources = np.array(table["src_file"])
    order = rng.permutation(np.unique(sources))
    ends = (len(order) * np.array([7, 8.5]) / 10).astype(int)
    clips = np.stack([_sound.decode(sound["bytes"]).astype(np.float32) for sound in table["audio"]])
    return {name: clips[np.isin(sources, mine)] for name, mine in zip(SPLITS, np.split(order, ends), strict=True)}


def _spoken(
    rng: Generator,
    digits: NDArray[np.uint8],
    voices: dict[int, tuple[Clips, NDArray[np.int64]]],
    noises: Clips,
    snr: float,
    side: int,
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Spectrograms (N,side,side) of the digits, and the recording (N,) of each; every one as often as the others."""
    chosen, noise = np.empty(len(digits), dtype=np.int64), rng.integers(len(noises), size=len(digits))
    for digit, (clips, _) in voices.items():
        mine = np.flatnonzero(digits == digit)
        rounds = [rng.permutation(len(clips)) for _ in range(-(-len(mine) // len(clips)))]
        chosen[mine] = np.concatenate([*rounds, mine[:0]])[: len(mine)]
    offset = rng.integers(noises.shape[1] - _sound.SAMPLES, size=len(digits))
    found = np.empty((len(digits), side, side), dtype=np.uint8)
    at_once = max(NUMBERS // (side * _sound.POINTS), 1)

    def fill(start: int) -> None:
        rows = range(start, min(start + at_once, len(digits)))
        clean = np.stack([voices[digits[i]][0][chosen[i]] for i in rows])
        added = np.stack([noises[noise[i], offset[i] : offset[i] + _sound.SAMPLES] for i in rows])
        found[start : rows.stop] = _sound.spectrograms(
            _mixed(clean.astype(np.float64), added.astype(np.float64), snr), side
        )

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # NumPy lets threads run side by side
        list(pool.map(fill, range(0, len(digits), at_once)))
    return found, np.array([voices[d][1][c] for d, c in zip(digits, chosen, strict=True)])


def _mixed(clean: Array, noise: Array, snr: float) -> Array:
    """Signals (N,T) plus noise at a ratio of powers of ``snr`` dB; silent noise stays silent."""
    power, other = (np.square(x).mean(1, keepdims=True) for x in (clean, noise))
    gain = np.sqrt(power / np.maximum(other, 1e-12) / 10 ** (snr / 10))
    return np.asarray(clean + gain * noise, dtype=np.float64)
