"""The tasks of the embedded datasets, which their cards and their builders share. Light."""

from typing import Literal

from mmbench.core.modality import Modality
from mmbench.core.task import Task

Component = Literal["redundant", "complementary", "unique", "synergy", "mixed", "bits"]

BANDS, FRAMES = 20, 20  # of the spectrograms of ``avdigits``


def avdigits() -> Task:
    image = Modality("image", "image", (1, 8, 8))
    return Task("classification", 10, (image, Modality("audio", "spectrogram", (1, BANDS, FRAMES))))


def breast_cancer() -> Task:
    return Task("classification", 2, tuple(Modality(name, "vector", (10,)) for name in ("mean", "error", "worst")))


def diabetes() -> Task:
    return Task("regression", 1, (Modality("clinical", "vector", (4,)), Modality("serum", "vector", (6,))))


def pid(component: Component, dim: int = 32) -> Task:
    if component == "bits":
        return Task("multilabel", 4, _pair(dim), metric="hamming")
    return Task("classification", 16 if component == "mixed" else 2, _pair(dim))


def paired(dim: int = 8) -> Task:
    return Task("anomaly", 1, _pair(dim))


def asynchronous(frames: int = 12, dim: int = 3) -> Task:
    query = Modality("query", "sequence", (frames, 1 + dim))
    return Task("classification", 2, (query, Modality("events", "sequence", (frames, 2 + dim))))


def lagged(frames: int = 24, lags: int = 4) -> Task:
    names = ("first", "second")
    return Task("classification", lags, tuple(Modality(name, "sequence", (frames, 1)) for name in names))


def _pair(dim: int) -> tuple[Modality, ...]:
    return tuple(Modality(name, "vector", (dim,)) for name in ("first", "second"))
