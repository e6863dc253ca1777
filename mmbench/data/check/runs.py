"""Runs of frames that two rows share, such as windows that overlap.

A run is a quarter of the longest length, 4 frames at least, and most of its frames differ from the one
before. Runs that begin at multiples of that length are kept of every row, and looked up at every
place of every other: an overlap of half a window or more is always found, wherever it lies.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.data.check.equal import Keys, equal_rows
from mmbench.data.check.findings import PAIRS, SharedRuns
from mmbench.data.check.rows import Array, read_rows
from mmbench.data.columns import SPLITS

if TYPE_CHECKING:
    import datasets

LEAST = 4  # frames in a run
SEED = 20_240_301


def shared_runs(
    task: Task, splits: Mapping[str, "datasets.Dataset"], keys: Mapping[str, Keys]
) -> tuple[SharedRuns, ...]:
    """Between the splits, then within each; of sequences that are long enough for two runs."""
    found = []
    for modality in task.modalities:
        frames = run_length(modality)
        if not frames:
            continue
        anchors = {name: _anchors(task, modality, splits[name]) for name in SPLITS}
        both = (*PAIRS, *((name, name) for name in SPLITS))
        shared: dict[tuple[str, str], list[Array]] = {pair: [] for pair in both}
        for of in SPLITS:
            for first, runs in _runs(task, modality, splits[of]):
                for to in SPLITS:
                    if (to, of) in shared:
                        shared[to, of].append(_known(runs, anchors[to], first if to == of else None))
        for to, of in both:
            rows = np.concatenate(shared[to, of]) & ~equal_rows(keys, modality.name, of, to, earlier=False)
            found.append(SharedRuns(of, to, modality.name, int(rows.sum()), frames))
    return tuple(found)


def run_length(modality: Modality) -> int:
    """Frames in a run; 0 where none are looked for."""
    if modality.kind != "sequence" or modality.shape[0] < 2 * LEAST:
        return 0
    return max(LEAST, modality.shape[0] // 4)


def _anchors(task: Task, modality: Modality, split: "datasets.Dataset") -> tuple[Array, Array, Array]:
    """Runs at multiples of their length: sorted keys, and the first and last row that has each."""
    keys, rows = [], []
    for first, (hashes, counts) in _runs(task, modality, split):
        step = slice(None, None, run_length(modality))
        row, place = np.nonzero(counts[:, step])
        keys.append(hashes[:, step][row, place])
        rows.append(row + first)
    kinds, of_kind = np.unique(np.concatenate(keys), return_inverse=True)
    owner = np.concatenate(rows)
    low, high = np.full(len(kinds), len(split)), np.full(len(kinds), -1)
    np.minimum.at(low, of_kind, owner)
    np.maximum.at(high, of_kind, owner)
    return kinds, low, high


def _known(runs: tuple[Array, Array], anchors: tuple[Array, Array, Array], first: int | None) -> Array:
    """(B,) bool: rows with a run that is an anchor; of another row than itself, if the first row's number is given."""
    (hashes, counts), (kinds, low, high) = runs, anchors
    if not len(kinds):
        return np.zeros(len(hashes), dtype=bool)
    place = np.minimum(np.searchsorted(kinds, hashes), len(kinds) - 1)
    known = counts & (kinds[place] == hashes)
    if first is not None:
        own = first + np.arange(len(hashes))[:, None]
        known &= (low[place] != own) | (high[place] != own)
    found: Array = known.any(1)
    return found


def _runs(task: Task, modality: Modality, split: "datasets.Dataset") -> Iterator[tuple[int, tuple[Array, Array]]]:
    """Blocks of rows: the number of the first, and of every place (B,T-L+1) a key and whether a run begins there."""
    frames = run_length(modality)
    rng = np.random.default_rng(SEED)
    features = int(np.prod(modality.shape[1:]))
    factors = rng.integers(1, 2**63, features, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    places = rng.integers(1, 2**63, frames, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    first = 0
    for rows in read_rows(task, split):
        frame = (_bits(rows.values[modality.name]) * factors).sum(2, dtype=np.uint64)
        frame ^= frame >> np.uint64(29)
        starts = frame.shape[1] - frames + 1
        hashes = np.zeros((len(frame), starts), dtype=np.uint64)
        moves = np.zeros((len(frame), starts), dtype=np.int64)
        moving = np.diff(frame, axis=1, prepend=frame[:, :1]) != 0
        for offset in range(frames):
            hashes += frame[:, offset : offset + starts] * places[offset]
            if offset:
                moves += moving[:, offset : offset + starts]
        real = rows.real[modality.name][:, frames - 1 :]  # what comes before a real frame is real
        yield first, (hashes, real & (2 * moves > frames))
        first += len(frame)


def _bits(values: Array) -> Array:
    """Numbers as uint64, equal ones alone the same."""
    if np.issubdtype(values.dtype, np.floating):
        same = values + values.dtype.type(0)  # -0 is equal to 0
        values = same.view(f"u{values.dtype.itemsize}")
    return np.asarray(values, dtype=np.uint64)
