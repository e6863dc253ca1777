"""What measures of the fitted method gave for one cell: a file beside its record, validated both ways.

``measures-<name of the record>.json`` in the same folder. The record itself never changes; a measure that is
added later, or whose source has changed, fits the cell again and enters what it found here. What it has then
measured is a fit of its own, whose main score stands beside it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from mmbench.core.errors import MmbenchError
from mmbench.results import store
from mmbench.results.schema import Plain, Record

Value = bool | int | float | str | None  # of a table's cell


ATTEMPTS = 2  # at a measure that does not come to an end: the first may have been interrupted


class Measurement(Record):
    """What one measure found out about one cell.

    Attributes:
        source: hash of the source of the measure.
        score: the main metric, on the test split, of the fit that was measured: the cell's own score, unless
            arithmetic has changed since.
        scores: by name; none if there is a ``reason`` or an ``error``.
        tables: columns of one length, by the table's name.
        notes: how it was measured.
        reason: why the measure does not apply.
        error: what went wrong, in one line; such a measurement is tried again with ``--retry-failed``.
        begun: times that it was begun without an end: by a worker that was interrupted, or that died of it.
        traceback: of an exception.
        seconds: that it took.
        created, commit, dirty: when, and by which source.
    """

    source: str
    score: float | None = None
    scores: dict[str, float] = Field(default_factory=dict)
    tables: dict[str, dict[str, tuple[Value, ...]]] = Field(default_factory=dict)
    notes: dict[str, Plain] = Field(default_factory=dict)
    reason: str = ""
    error: str = ""
    begun: int = 0
    traceback: str = ""
    seconds: float = 0.0
    created: str = ""
    commit: str = ""
    dirty: bool | None = None

    @property
    def to_come(self) -> bool:
        """Whether this is the note of a measure that did not come to its end, and is to be tried once more."""
        return 0 < self.begun < ATTEMPTS


class Measurements(Record):
    """All measurements of one cell.

    Attributes:
        key: of the cell.
        measures: by the measure's spec, ``robustness`` or ``robustness[draws=5]``.
    """

    schema_version: Literal[1] = 1
    key: str
    measures: dict[str, Measurement] = Field(default_factory=dict)


def path_of(record: Path) -> Path:
    """Of the measurements, from the path of the cell's record."""
    return record.with_name(f"measures-{record.name}")


def read(record: Path) -> Measurements | None:
    """The measurements of a cell, from the path of its record; None if there are none.

    Raises:
        MmbenchError: if the file is none of this version, or of another cell.
    """
    path = path_of(record)
    try:
        found = Measurements.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise MmbenchError(f"{path} is no file of measurements of this version: {where}: {first['msg']}") from None
    if found.key[: store.KEY_DIGITS] not in record.stem:
        raise MmbenchError(f"{path} is of another cell: its key is {found.key[: store.KEY_DIGITS]}…")
    return found


def readable(record: Path) -> dict[str, Measurement]:
    """The measurements of a cell by spec; none if nothing in their file can be used: it can be measured again."""
    try:
        found = read(record)
    except MmbenchError:
        return {}
    return {} if found is None else found.measures


def enter(record: Path, key: str, found: Mapping[str, Measurement]) -> None:
    """Add measurements of a cell to its file, in place of older ones of the same measures.

    Only who holds the lock of the cell's batch may call it.
    """
    whole = Measurements(key=key, measures=dict(sorted({**readable(record), **found}.items())))
    store.write_whole(path_of(record), (whole.model_dump_json(exclude_defaults=True) + "\n").encode())


def forget_begun(record: Path) -> None:
    """Drop the notes of measures that were begun: they were stopped from outside, and it was not their fault.

    Only who holds the lock of the cell's batch may call it, with no worker at the cell.
    """
    try:
        found = read(record)
    except (MmbenchError, OSError):  # nothing of it can be used, or there is not even a folder
        return
    ended = {spec: entry for spec, entry in found.measures.items() if not entry.begun} if found else {}
    if found and len(ended) < len(found.measures):
        whole = found.model_copy(update={"measures": ended})
        store.write_whole(path_of(record), (whole.model_dump_json(exclude_defaults=True) + "\n").encode())
