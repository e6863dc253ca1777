"""The store: one JSON file a cell and its predictions beside it, written whole or not at all.

Layout: ``<out>/<protocol>/<dataset>/<method>/seed<k>-<key>.json`` and ``.npz`` of the same name;
``<out>/<protocol>/<dataset>/test-<fingerprint>.npz`` holds the targets that predictions are for.
"""

import contextlib
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


@dataclass(frozen=True)
class Place:
    """Where a cell's files stand, known before it has run."""

    out: Path
    protocol: str
    dataset: Spec
    method: Spec
    seed: int

    @property
    def folder(self) -> Path:
        return self.out / self.protocol / self.dataset.slug / self.method.slug

    def record(self, key: str) -> Path:
        return self.folder / f"seed{self.seed}-{key[:KEY_DIGITS]}.json"

    def others(self, key: str) -> list[Path]:
        """Records of the same cell under other keys: made by other code or data."""
        return sorted(path for path in self.folder.glob(f"seed{self.seed}-*.json") if path != self.record(key))


def status(path: Path) -> str | None:
    """The status that a record states; None if there is none or it cannot be read."""
    try:
        return str(json.loads(path.read_bytes())["outcome"]["status"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
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
    """Write a file so that nobody ever sees a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise


def check_writable(out: Path) -> None:
    """Find out before the first cell whether results can be kept.

    Raises:
        MmbenchError: if nothing can be written there.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix=".writing-", dir=out):
            pass
    except OSError as error:
        raise MmbenchError(f"cannot write results to {out}: {error.strerror}; choose another with --out") from None
