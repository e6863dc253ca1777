"""Which rows are train, validation and test: as files, a column or a drawing say; and that they are apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from mmbench.core.errors import MmbenchError, did_you_mean
from mmbench.data.columns import SPLITS
from mmbench.data.own.splitting import Splitting
from mmbench.data.own.tables import Table
from mmbench.data.own.targets import texts

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """Rows of a table that make a split."""

    table: str
    rows: Rows


@dataclass(frozen=True)
class Known:
    """What is known of the rows of a table before they are split.

    Attributes:
        group, id: of each row, as text; None where the card names no such column.
        stratum: of each row, which a drawing keeps in proportion; empty if there is none.
    """

    group: Sequence[str] | None
    id: Sequence[str] | None
    stratum: Sequence[int]


def split(splitting: Splitting, tables: Mapping[str, Table], known: Mapping[str, Known]) -> dict[str, Part]:
    """The rows of each split, in the order of their table.

    Raises:
        MmbenchError: for a split without rows, an unknown word in the split column, an id that
            stands twice, or a group that stands in two splits.
    """
    parts = {name: Part(name, np.arange(tables[name].rows)) for name in SPLITS if name in tables}
    if splitting.column:
        parts = _by_column(splitting, tables["table"])
    elif splitting.fractions:
        source = "table" if "table" in tables else "train"
        drawn = draw(splitting, known[source], tables[source].rows)
        parts.update({name: Part(source, rows) for name, rows in drawn.items()})
    parts = {name: parts[name] for name in SPLITS}
    for name, part in parts.items():
        if not len(part.rows):
            raise MmbenchError(f"split {name!r} has no rows (from {tables[part.table].name})")
    _check_ids(parts, tables, known)
    _check_groups(parts, known)
    return parts


def draw(splitting: Splitting, known: Known, rows: int) -> dict[str, Rows]:
    """Rows drawn by the hash of seed and id (the row's number where there is no id): the same everywhere.

    Groups are kept whole. Without groups, each class (stratum) is shared out in proportion.
    """
    owner = known.group if known.group is not None else known.id or [str(row) for row in range(rows)]
    place = {text: _order(splitting.seed, text) for text in set(owner)}
    taken = {}
    if known.group is not None:
        taken = _whole_groups(splitting, known.group, place)
    else:
        strata = known.stratum if len(known.stratum) else [0] * rows
        left = sorted(range(rows), key=lambda row: (strata[row], place[owner[row]], row))
        share = 1.0
        for name, fraction in splitting.fractions.items():
            picked = _every(left, fraction / share)
            taken[name] = picked
            left = [row for row in left if row not in picked]
            share -= fraction
    others: set[int] = set().union(*taken.values()) if taken else set()
    taken["train"] = set(range(rows)) - others
    return {name: np.array(sorted(each), dtype=np.int64) for name, each in taken.items()}


def _every(rows: Sequence[int], fraction: float) -> set[int]:
    """A share of rows in their order, evenly spread over it: so that each class has its share."""
    count = round(len(rows) * fraction)
    return {rows[int((place + 0.5) * len(rows) / count)] for place in range(count)}


def _whole_groups(splitting: Splitting, group: Sequence[str], place: Mapping[str, bytes]) -> dict[str, set[int]]:
    """Groups in their drawn order, each taken as long as it brings the split nearer to its share."""
    members: dict[str, set[int]] = {}
    for row, name in enumerate(group):
        members.setdefault(name, set()).add(row)
    waiting = sorted(members, key=lambda name: place[name])
    if len(waiting) <= len(splitting.fractions):
        raise MmbenchError(
            f"there are {len(waiting)} groups, and each of {len(splitting.fractions) + 1} splits needs one of its own"
        )
    taken: dict[str, set[int]] = {}
    for number, (name, fraction) in enumerate(splitting.fractions.items()):
        wanted = fraction * len(group)
        needed = len(splitting.fractions) - number  # groups to be left for the other splits
        chosen: set[int] = set()
        for each in list(waiting):
            nearer = abs(len(chosen) + len(members[each]) - wanted) < abs(len(chosen) - wanted)
            if len(waiting) > needed and (nearer or not chosen):
                chosen |= members[each]
                waiting.remove(each)
        taken[name] = chosen
    return taken


def _order(seed: int, text: str) -> bytes:
    return sha256(f"{seed} {text}".encode()).digest()


def _by_column(splitting: Splitting, table: Table) -> dict[str, Part]:
    cells = texts(table, splitting.column, "split")
    known = {word: name for name, word in splitting.words.items()}
    wrong = next((row for row, cell in enumerate(cells) if cell not in known), None)
    if wrong is not None:
        hint = did_you_mean(cells[wrong], known)
        table.refuse(splitting.column, wrong, f"{cells[wrong]!r} is no split; {hint} (in [split]: validation = …)")
    names = np.array([known[cell] for cell in cells])
    return {name: Part("table", np.flatnonzero(names == name)) for name in SPLITS}


def _check_ids(parts: Mapping[str, Part], tables: Mapping[str, Table], known: Mapping[str, Known]) -> None:
    seen: dict[str, tuple[str, int]] = {}
    for name, part in parts.items():
        ids = known[part.table].id
        if ids is None:
            return
        for row in part.rows.tolist():
            if ids[row] in seen:
                other, there = seen[ids[row]]
                raise MmbenchError(
                    f"id {ids[row]!r} stands twice: in {other} ({tables[parts[other].table].name}, row {there}) "
                    f"and in {name} ({tables[part.table].name}, row {row}); remove one of them"
                )
            seen[ids[row]] = (name, row)


def _check_groups(parts: Mapping[str, Part], known: Mapping[str, Known]) -> None:
    owner: dict[str, str] = {}
    for name, part in parts.items():
        groups = known[part.table].group
        if groups is None:
            return
        for row in part.rows.tolist():
            other = owner.setdefault(groups[row], name)
            if other != name:
                raise MmbenchError(
                    f"group {groups[row]!r} stands in {other} and in {name}: scores would be of people, places or "
                    "recordings that were trained on; keep each group in one split"
                )
