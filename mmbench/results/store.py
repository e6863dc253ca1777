"""The store: one JSON file a cell and its predictions beside it, written whole or not at all.

Layout: ``<out>/<protocol>/<dataset>/<method>/seed<k>-<key>.json`` and ``.npz`` of the same name;
``<out>/<protocol>/<dataset>/test-<fingerprint>.npz`` holds the targets that predictions are for. Trials
of a search lie in ``<out>/<protocol>/<dataset>/tuning/<method>/<number>/``, where no board looks for them.
"""

import contextlib
import errno
import io
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmbench.core.errors import MmbenchError
from mmbench.core.spec import Spec

if TYPE_CHECKING:  # reading states must cost neither numpy nor pydantic
    from numpy.typing import NDArray

    from mmbench.results.schema import Result

KEY_DIGITS = 16  # of 64: enough for a file's name
TUNING = "tuning"  # the folder of trials
UNFINISHED = ".writing-"  # how names of files begin while they are written
TRIAL = 64 * 1024  # bytes that are written to find out whether anything can be
FULL = (errno.ENOSPC, errno.EDQUOT)


class UnwritableError(MmbenchError):
    """A file could not be written, for a reason that lies with the disk or the folder."""

    @staticmethod
    def of(folder: Path, error: OSError) -> "UnwritableError":
        """With the folder, the system's reason and what to do."""
        remedy = "free some space" if error.errno in FULL else "mend that"
        return UnwritableError(
            f"cannot write to {folder}: {error.strerror or error}; "
            f"finished cells are kept; {remedy} and run the same command again"
        )


@dataclass(frozen=True)
class Place:
    """Where a cell's files stand, known before it has run. ``trial`` is its number, if it is one."""

    out: Path
    protocol: str
    dataset: Spec
    method: Spec
    seed: int
    trial: int | None = None

    @property
    def folder(self) -> Path:
        dataset = self.out / self.protocol / self.dataset.slug
        if self.trial is None:
            return dataset / self.method.slug
        return dataset / TUNING / self.method.slug / f"{self.trial:03d}"

    def record(self, key: str) -> Path:
        name = "trial" if self.trial is not None else f"seed{self.seed}"
        return self.folder / f"{name}-{key[:KEY_DIGITS]}.json"

    def recorded_seeds(self) -> set[int]:
        """Seeds of this method and dataset that have a record, under whatever key."""
        names = (path.name.partition("-")[0].removeprefix("seed") for path in self.folder.glob("seed*-*.json"))
        return {int(name) for name in names if name.isdecimal()}


def status(path: Path) -> str | None:
    """The status that a record states; None if there is none or it cannot be read."""
    try:
        return str(json.loads(path.read_bytes())["outcome"]["status"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(place: Place, result: "Result", predictions: "dict[str, NDArray[Any]] | None" = None) -> Path:
    """Keep a result, its predictions first, so that a record never lacks them.

    Raises:
        MmbenchError: if an ``ok`` record of the same key is there already, which must not change.
    """
    path = place.record(result.key)
    if status(path) == "ok":
        raise MmbenchError(f"{path} holds a finished result; it is not overwritten")
    if predictions:
        write_arrays(path.with_suffix(".npz"), predictions)
    write_whole(path, (result.model_dump_json(indent=1) + "\n").encode())
    return path


def keep_targets(place: Place, fingerprint: str, targets: "dict[str, NDArray[Any]]") -> None:
    """Keep what the predictions of a dataset are for, once a dataset."""
    path = targets_path(place.folder.parent, fingerprint)
    if targets and not path.exists():
        write_arrays(path, targets)


def targets_path(folder: Path, fingerprint: str) -> Path:
    """Of the test targets, in a dataset's folder of results."""
    return folder / f"test-{fingerprint[:KEY_DIGITS]}.npz"


def read(path: Path) -> "Result":
    """A validated record.

    Raises:
        MmbenchError: if it is no record of this schema.
    """
    from pydantic import ValidationError

    from mmbench.results.schema import Result

    try:
        return Result.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise MmbenchError(f"{path} is no result of this version: {where}: {first['msg']}") from None


def records(folder: Path) -> Iterator[Path]:
    """Paths of all records below a folder, in a fixed order."""
    return iter(sorted(folder.glob("**/seed*-*.json")))


def write_arrays(path: Path, arrays: "dict[str, NDArray[Any]]") -> None:
    """A compressed npz, whole or not at all.

    Raises:
        MmbenchError: for an array of objects, which only a pickle could keep.
    """
    import numpy as np

    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise MmbenchError(f"array {name!r} for {path.name} holds Python objects, not numbers or text")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    write_whole(path, buffer.getvalue())


def read_arrays(path: Path) -> "dict[str, NDArray[Any]]":
    """The arrays of an npz; it may hold no pickled object."""
    import numpy as np

    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees a part of it.

    Raises:
        UnwritableError: if the disk is full or the folder cannot be written to.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=UNFINISHED, dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        if isinstance(error, OSError):
            raise UnwritableError.of(path.parent, error) from error
        raise


def remove_unfinished(folder: Path) -> None:
    """Remove what writers that were killed have left in a folder; nobody may be writing there."""
    for path in folder.glob(f"{UNFINISHED}*"):
        with contextlib.suppress(OSError):  # it does no harm: nothing reads it
            path.unlink()


def check_writable(out: Path) -> None:
    """Find out before the first cell whether results can be kept: whether some 64 KiB reach the disk.

    Raises:
        MmbenchError: if they do not.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix=UNFINISHED, dir=out) as file:
            file.write(bytes(TRIAL))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise MmbenchError(f"cannot write results to {out}: {error.strerror}; choose another with --out") from None
