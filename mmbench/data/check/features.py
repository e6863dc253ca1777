"""Features of the modalities over train: their moments, and those that do not vary."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.data.check.findings import Columns
from mmbench.data.check.rows import Array, features_of, read_rows

if TYPE_CHECKING:
    import datasets

NEARLY = 0.99  # share of the frames with one value from which a feature is nearly constant
SAMPLED = 255  # rows, evenly spaced, whose median is the value of a feature that hardly varies


@dataclass
class Feature:
    """What train says of the features of a modality, each (F,) over its real frames.

    Attributes:
        frames: real ones that were seen.
        usual: the value that a nearly constant feature has.
        same: frames with that value.
        mean, squares: of the values, and of their distances to it (merged after Chan et al. 1983).
    """

    usual: Array
    same: Array
    mean: Array
    squares: Array
    frames: int = 0

    @property
    def deviation(self) -> Array:
        """Standard deviation; 1 where a feature is constant."""
        spread = np.sqrt(self.squares / max(self.frames, 1))
        return np.where((self.same < self.frames) & (spread > 1e-8 * np.abs(self.mean)), spread, 1.0)

    def add(self, frames: Array) -> None:
        """Take in real frames (R,F)."""
        count = len(frames)
        if not count:
            return
        values = frames.astype(np.float64)
        mean = values.mean(0)
        squares = np.square(values - mean).sum(0)
        shift, together = mean - self.mean, self.frames + count
        self.squares = self.squares + squares + np.square(shift) * (self.frames * count / together)
        self.mean = self.mean + shift * (count / together)
        self.same = self.same + (frames == self.usual).sum(0)
        self.frames = together


def features(task: Task, train: "datasets.Dataset") -> dict[str, Feature]:
    """Of all modalities but tokens."""
    modalities = [modality for modality in task.modalities if modality.kind != "tokens"]
    usual = _usual(task, modalities, train)
    found = {}
    for modality in modalities:
        zeros = np.zeros(features_of(modality))
        found[modality.name] = Feature(usual[modality.name], same=zeros, mean=zeros, squares=zeros)
    for rows in read_rows(task, train):
        for name, feature in found.items():
            feature.add(rows.values[name][rows.real[name]])
    return found


def columns(task: Task, found: dict[str, Feature]) -> tuple[Columns, ...]:
    """How many do not vary."""
    counted = []
    for name, feature in found.items():
        constant = feature.same == feature.frames
        nearly = (feature.same >= NEARLY * feature.frames) & ~constant
        pixels = len(task.modality(name).shape) > 2
        counted.append(Columns(name, len(constant), int(constant.sum()), int(nearly.sum()), pixels))
    return tuple(counted)


def _usual(task: Task, modalities: list[Modality], train: "datasets.Dataset") -> dict[str, Array]:
    """{m: (F,)} a median of rows from all over the split: the usual value, where a feature has one."""
    chosen = np.unique(np.linspace(0, len(train) - 1, SAMPLED).round().astype(int))
    seen: dict[str, list[Array]] = {modality.name: [] for modality in modalities}
    for rows in read_rows(task, train.select(chosen)):
        for name, parts in seen.items():
            parts.append(rows.values[name][rows.real[name]])
    usual = {}
    for modality in modalities:
        frames = np.concatenate(seen[modality.name])
        middle = len(frames) // 2
        usual[modality.name] = (
            np.partition(frames, middle, axis=0)[middle] if len(frames) else np.zeros(features_of(modality))
        )
    return usual
