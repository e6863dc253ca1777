"""Rows that are equal, number for number: in every modality, or in one alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from mmbench.core.task import Task
from mmbench.data.check.findings import PAIRS, Repeats
from mmbench.data.check.rows import Array, read_rows
from mmbench.data.columns import SPLITS

if TYPE_CHECKING:
    import datasets

EVERY = ""  # the name under which the keys of all modalities together stand


@dataclass(frozen=True)
class Keys:
    """Keys of the rows of a split: equal rows have equal ones, others differ (but for 1 in 10^19 pairs).

    Attributes:
        keys: {m: (N,) uint64}, and of all modalities together under ``EVERY``.
        counts: {m: (N,) bool}: False for what is absent or blank, which says nothing by being equal.
        blank: {m: rows that have the modality with one number throughout}.
        lengths: {m: (N,)} of the timed ones, where they are present.
        present: (N,M).
    """

    keys: dict[str, Array]
    counts: dict[str, Array]
    blank: dict[str, int]
    lengths: dict[str, Array]
    present: Array


def keys_of(task: Task, split: "datasets.Dataset") -> Keys:
    """Go through a split once."""
    keys: dict[str, list[Array]] = {name: [] for name in task.names}
    blank: dict[str, list[Array]] = {name: [] for name in task.names}
    lengths: dict[str, list[Array]] = {modality.name: [] for modality in task.modalities if modality.timed}
    present = []
    for rows in read_rows(task, split):
        present.append(rows.present)
        for name in task.names:
            keys[name].append(_hashed(rows.values[name], rows.lengths.get(name)))
            blank[name].append(_is_blank(rows.values[name], rows.real[name]))
        for name in lengths:
            lengths[name].append(rows.lengths[name])
    here = np.concatenate(present)
    found = {name: np.concatenate(parts) for name, parts in keys.items()}
    one_number = {name: np.concatenate(parts) & here[:, i] for i, (name, parts) in enumerate(blank.items())}
    counts = {name: here[:, i] & ~one_number[name] for i, name in enumerate(task.names)}
    together = np.stack([np.where(here[:, i], found[name], 0) for i, name in enumerate(task.names)], axis=1)
    found[EVERY] = _hashed(np.concatenate([together, here], axis=1), None)
    counts[EVERY] = np.any(list(counts.values()), axis=0)
    some = {name: np.concatenate(parts)[here[:, task.names.index(name)]] for name, parts in lengths.items()}
    return Keys(found, counts, {name: int(rows.sum()) for name, rows in one_number.items()}, some, here)


def repeats(task: Task, keys: Mapping[str, Keys], targets: Mapping[str, Array | None]) -> tuple[Repeats, ...]:
    """Between the splits, then within each. One modality alone is looked at where there are several."""
    numbers = target_numbers(targets)
    found = []
    for to, of in (*PAIRS, *((name, name) for name in SPLITS)):
        for modality in (EVERY, *(task.names if len(task.names) > 1 else ())):
            equal = equal_rows(keys, modality, of, to)
            agreeing = None
            if numbers is not None:
                agreeing = int(_agrees(keys, numbers, modality, of, to)[equal].sum())
            found.append(Repeats(of, to, modality, int(equal.sum()), agreeing))
    return tuple(found)


def equal_rows(keys: Mapping[str, Keys], modality: str, of: str, to: str, earlier: bool = True) -> Array:
    """(N,) bool: the rows of a split that are equal to a row of another, or to an earlier one of their own.

    Within a split, and not ``earlier``: to any other row.
    """
    own, counts = keys[of].keys[modality], keys[of].counts[modality]
    if of == to:
        again = np.zeros(len(own), dtype=bool)
        rows = np.flatnonzero(counts)
        _, first, count = np.unique(own[rows], return_index=True, return_counts=True)
        again[rows] = True
        again[rows[first if earlier else first[count == 1]]] = False
        return again
    found: Array = counts & np.isin(own, keys[to].keys[modality][keys[to].counts[modality]])
    return found


def target_numbers(targets: Mapping[str, Array | None]) -> dict[str, Array] | None:
    """{split: (N,) a number for each row, the same for equal targets}; None without targets."""
    known = {name: target for name, target in targets.items() if target is not None}
    if len(known) < len(SPLITS):
        return None
    together = np.concatenate([known[name] for name in SPLITS])
    numbers = np.unique(together, axis=0, return_inverse=True)[1].reshape(-1)
    ends = np.cumsum([len(known[name]) for name in SPLITS])[:-1]
    return dict(zip(SPLITS, np.split(numbers, ends), strict=True))


def _agrees(keys: Mapping[str, Keys], numbers: Mapping[str, Array], modality: str, of: str, to: str) -> Array:
    """(N,) bool: whether all rows of ``to`` that a row of ``of`` is equal to have its target."""
    there = keys[to].counts[modality]
    most = 1 + max(int(part.max(initial=0)) for part in numbers.values())
    kinds = np.unique(np.concatenate([keys[of].keys[modality], keys[to].keys[modality]]))
    of_kind, to_kind = (np.searchsorted(kinds, keys[name].keys[modality]) for name in (of, to))
    rows_of_kind = np.bincount(to_kind[there], minlength=len(kinds))
    both, count = np.unique(to_kind[there] * most + numbers[to][there], return_counts=True)
    wanted = of_kind * most + numbers[of]
    if not len(both):
        return np.zeros(len(wanted), dtype=bool)
    place = np.minimum(np.searchsorted(both, wanted), len(both) - 1)
    same_target = np.where(both[place] == wanted, count[place], 0)
    agrees: Array = same_target == rows_of_kind[of_kind]
    return agrees


def _hashed(values: Array, lengths: Array | None) -> Array:
    """(B,) uint64 of rows (B,…), with their lengths."""
    if np.issubdtype(values.dtype, np.floating):
        values = values + values.dtype.type(0)  # -0 is equal to 0
    flat = np.ascontiguousarray(values).reshape(len(values), -1)
    ends = [b""] * len(flat) if lengths is None else [int(length).to_bytes(8, "little") for length in lengths]
    hashes = (blake2b(row.tobytes() + end, digest_size=8).digest() for row, end in zip(flat, ends, strict=True))
    return np.frombuffer(b"".join(hashes), dtype=np.uint64)


def _is_blank(values: Array, real: Array) -> Array:
    """(B,) bool: rows of several numbers, all of them the same."""
    if values[0].size < 2:
        return np.zeros(len(values), dtype=bool)
    first = values[:, :1, :1]
    blank: Array = ((values == first) | ~real[..., None]).all((1, 2)) & (real.sum(1) * values.shape[2] > 1)
    return blank
