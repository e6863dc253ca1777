"""Rows of a stored split as the check sees them: some at a time, and nothing where a value is absent or padded."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.data.columns import blocks

if TYPE_CHECKING:
    import datasets

Array = NDArray[Any]


@dataclass(frozen=True)
class Rows:
    """B rows of a split.

    Attributes:
        values: {m: (B,S,F)}: S frames of F features of a timed modality, else S = 1. Zero where not real.
        real: {m: (B,S) bool}: False where the modality is absent or the frame padded.
        lengths: {m: (B,)} of the timed ones.
        present: (B,M) bool.
    """

    values: dict[str, Array]
    real: dict[str, Array]
    lengths: dict[str, Array]
    present: Array


def read_rows(task: Task, split: "datasets.Dataset") -> Iterator[Rows]:
    """All rows of a split in order, in blocks that take little memory."""
    lengths = [f"{modality.name}:length" for modality in task.modalities if modality.timed]
    columns = [*task.names, *(name for name in (*lengths, "present") if name in split.column_names)]
    for block in blocks(split, columns):
        count = len(block[task.names[0]])
        present = block.get("present", np.ones((count, len(task.modalities)), dtype=bool)).astype(bool, copy=False)
        rows = Rows({}, {}, {}, present)
        for index, modality in enumerate(task.modalities):
            name, frames = modality.name, frames_of(modality)
            real = np.repeat(present[:, [index]], frames, axis=1)
            if modality.timed:
                rows.lengths[name] = block.get(f"{name}:length", np.full(count, frames))
                real &= np.arange(frames) < rows.lengths[name][:, None]
            values = block[name].reshape(count, frames, -1)
            rows.values[name] = values if real.all() else np.where(real[..., None], values, values.dtype.type(0))
            rows.real[name] = real
        yield rows


def read_targets(split: "datasets.Dataset") -> Array | None:
    """The targets of a split, (N,) or (N,K); None where it has none."""
    if "target" not in split.column_names:
        return None
    return np.concatenate([block["target"] for block in blocks(split, ["target"])])


def frames_of(modality: Modality) -> int:
    """The longest length of a timed modality; 1 of the others."""
    return modality.shape[0] if modality.timed else 1


def features_of(modality: Modality) -> int:
    """Numbers in each frame."""
    return prod(modality.shape) // frames_of(modality)
