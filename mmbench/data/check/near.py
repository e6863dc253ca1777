"""Rows of a split that are nearly equal to a row of another one.

Every row becomes 64 numbers: its modalities, standardised with train (tokens counted), each weighted by
one over the root of its width, go through a random projection with a fixed seed, which keeps distances to
about a tenth. A row is near if its distance to the nearest row of the reference is below a fraction of
that row's own distance to its 5th neighbour within the reference: what is dense is judged by its own
density. The fraction is 10 % (a photograph saved anew as JPEG of quality 50 stays below it, and in eight real
datasets no other row came nearer than 27 %), or less where rows have few dimensions, so that among n rows
drawn independently from one smooth distribution 0.01 are near in expectation: n·5·fraction^dimension,
with the dimension estimated after Levina and Bickel (2004). Windows that overlap by half are far apart
here; ``runs`` finds them.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.data.check.equal import EVERY, Keys, equal_rows, target_numbers
from mmbench.data.check.features import Feature
from mmbench.data.check.findings import PAIRS, Near
from mmbench.data.check.rows import Array, read_rows

if TYPE_CHECKING:
    import datasets

DIMENSIONS = 64
SEED = 20_240_229
FOLD = 2**14  # wider rows are folded to this width with random signs first, so that the projection stays small
NEARNESS = 0.1
NEIGHBOUR = 5
BY_CHANCE = 0.01  # rows expected to be near in clean data
SAMPLED = 2000  # rows of the reference from which its dimension is estimated
BLOCK = 2**22  # distances held at once


def near(parts: Mapping[str, Array], keys: Mapping[str, Keys], targets: Mapping[str, Array | None]) -> tuple[Near, ...]:
    """Between the splits.

    Args:
        parts: {split: (N,64)} of ``projected``.
        keys: by split; rows that are equal to one of the reference are not looked at.
        targets: by split.
    """
    found = []
    numbers = target_numbers(targets)
    for to, of in PAIRS:
        there = np.flatnonzero(keys[to].counts[EVERY])
        open_rows = np.flatnonzero(keys[of].counts[EVERY] & ~equal_rows(keys, EVERY, of, to))
        reference, rows = parts[to][there], parts[of][open_rows]
        dimension = intrinsic_dimension(reference)
        if not dimension or not len(rows):
            found.append(Near(of, to, 0, None if numbers is None else 0, 0.0, dimension))
            continue
        nearness = min(NEARNESS, (BY_CHANCE / (NEIGHBOUR * len(rows))) ** (1 / dimension))
        flagged, nearest = _near(rows, reference, nearness)
        agreeing = None
        if numbers is not None:
            agreeing = int((numbers[of][open_rows[flagged]] == numbers[to][there[nearest]]).sum())
        found.append(Near(of, to, len(flagged), agreeing, round(nearness, 6), round(dimension, 2)))
    return tuple(found)


def projected(task: Task, split: "datasets.Dataset", fitted: Mapping[str, Feature]) -> Array:
    """(N,64) float32 of the rows of a split."""
    maps = {modality.name: _Projection(index, modality) for index, modality in enumerate(task.modalities)}
    found = []
    for rows in read_rows(task, split):
        total = np.zeros((len(rows.present), DIMENSIONS), dtype=np.float32)
        for modality in task.modalities:
            name = modality.name
            if modality.kind == "tokens":
                total += maps[name].counted(rows.values[name][..., 0], rows.real[name])
            else:
                feature = fitted[name]
                scaled = ((rows.values[name] - feature.mean) / feature.deviation) * rows.real[name][..., None]
                total += maps[name].projected(scaled.reshape(len(total), -1).astype(np.float32))
        found.append(total)
    return np.concatenate(found)


class _Projection:
    """The random projection of one modality, the same in every run."""

    def __init__(self, index: int, modality: Modality) -> None:
        rng = np.random.default_rng([SEED, index])
        width = int(np.prod(modality.shape))
        inputs = modality.vocabulary if modality.kind == "tokens" else min(width, FOLD)
        self.signs = rng.choice(np.array([-1, 1], dtype=np.float32), -(-width // FOLD) * FOLD) if width > FOLD else None
        self.matrix = rng.standard_normal((inputs, DIMENSIONS), dtype=np.float32) / np.sqrt(DIMENSIONS * width)

    def projected(self, values: Array) -> Array:
        """(B,64) of (B,width)."""
        if self.signs is None:
            return np.asarray(values @ self.matrix)
        folded = np.zeros((len(values), FOLD), dtype=np.float32)
        for start in range(0, values.shape[1], FOLD):
            part = values[:, start : start + FOLD]
            folded[:, : part.shape[1]] += part * self.signs[start : start + part.shape[1]]
        return np.asarray(folded @ self.matrix)

    def counted(self, tokens: Array, real: Array) -> Array:
        """(B,64) of token ids (B,T): the order of the tokens is not looked at."""
        return np.asarray((self.matrix[tokens] * real[..., None]).sum(1))


def intrinsic_dimension(rows: Array) -> float:
    """Dimensions in which rows spread around each other: median over rows; 0 if there are too few that differ."""
    step = max(1, len(rows) // SAMPLED)
    distances = _neighbours(rows[::step][:SAMPLED], rows, NEIGHBOUR + 1)[:, 1:]  # without the row itself
    distances = distances[distances[:, :1].all(1)] if distances.shape[1] == NEIGHBOUR else distances[:0]
    if not len(distances):
        return 0.0
    inverse = float(np.median(np.log(distances[:, -1:] / distances[:, :-1]).mean(1)))
    # the mean of k exponentials of mean 1/d has its median at about (1 - 1/3k)/d
    return (1 - 1 / (3 * (NEIGHBOUR - 1))) / inverse if inverse > 0 else 0.0


def _near(rows: Array, reference: Array, nearness: float) -> tuple[Array, Array]:
    """Indices of the rows that are near, and of their nearest rows of the reference."""
    nearest = np.concatenate([squares.argmin(1) for squares in _squares(rows, reference)])
    distance = np.linalg.norm(rows.astype(np.float64) - reference[nearest], axis=1)
    # The 5th neighbour among some is no nearer than among all, so that most rows are ruled out by some.
    some = reference[:: max(1, len(reference) // SAMPLED)]
    if len(some) > NEIGHBOUR:
        candidates = np.flatnonzero(distance < nearness * _neighbours(reference[nearest], some, NEIGHBOUR + 1)[:, -1])
    else:
        candidates = np.arange(len(rows))
    if not len(candidates):
        return candidates, candidates
    own = _neighbours(reference[nearest[candidates]], reference, NEIGHBOUR + 1)[:, -1]
    flagged = candidates[distance[candidates] < nearness * own]
    return flagged, nearest[flagged]


def _neighbours(rows: Array, reference: Array, count: int) -> Array:
    """(B,count) distances from rows (B,D) to their nearest rows of the reference, themselves included."""
    count = min(count, len(reference))
    found, start = [], 0
    for squares in _squares(rows, reference):
        near = np.argpartition(squares, count - 1, axis=1)[:, :count]
        gaps = rows[start : start + len(near), None].astype(np.float64) - reference[near]
        found.append(np.sort(np.linalg.norm(gaps, axis=2), axis=1))
        start += len(near)
    return np.concatenate(found) if found else np.zeros((0, count))


def _squares(rows: Array, reference: Array) -> Iterator[Array]:
    """Squared distances but for a number that is the same in each row, (b,R) at a time."""
    half = np.square(reference).sum(1) / 2
    size = max(1, BLOCK // max(1, len(reference)))
    for start in range(0, len(rows), size):
        yield half - rows[start : start + size] @ reference.T
