"""The cache: a dataset is made once, kept as Arrow files, and known by the fingerprint of its content.

Layout: ``<cache>/datasets/<spec>-<hash>/`` with a folder a split and ``prepared.json``, which is
written last; the folder appears under its name only when it is whole.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmbench.core.cards import DatasetCard
from mmbench.core.errors import MmbenchError
from mmbench.core.modality import Modality
from mmbench.core.spec import Spec
from mmbench.core.task import Task
from mmbench.registry import load
from mmbench.results.provenance import folder_source

if TYPE_CHECKING:  # finding a prepared dataset must cost nothing heavy
    import datasets
    from numpy.typing import NDArray

CACHE = "MMBENCH_CACHE"
FORMAT = 1  # of the cache; raised when the layout changes


@dataclass(frozen=True)
class Prepared:
    """A dataset in the cache.

    Attributes:
        folder: with its Arrow files.
        task: with the true shapes.
        fingerprint: 64 hexadecimal digits, of the decoded content of all splits.
        sizes: rows by split.
        ceiling: best expected score of the main metric, where it is known.
        missing: whether samples lack modalities.
    """

    folder: Path
    task: Task
    fingerprint: str
    sizes: dict[str, int]
    ceiling: float | None
    missing: bool


def cache_root() -> Path:
    """``$MMBENCH_CACHE``, or ``mmbench`` in the user's cache folder."""
    chosen = os.environ.get(CACHE)
    return Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mmbench"


def find(card: DatasetCard, parameters: Mapping[str, object]) -> Prepared | None:
    """A dataset that the cache holds already; None if it has to be made. Imports nothing heavy."""
    folder = _folder(card, parameters)
    try:
        kept = json.loads((folder / "prepared.json").read_text())
        modalities = tuple(
            Modality(**{**modality, "shape": tuple(modality["shape"])}) for modality in kept["task"].pop("modalities")
        )
        return Prepared(folder, Task(**kept.pop("task"), modalities=modalities), **kept)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise MmbenchError(f"{folder}/prepared.json is damaged; delete that folder, it will be made anew") from None


def prepare(card: DatasetCard, parameters: Mapping[str, object]) -> Prepared:
    """Make a dataset and keep it, unless the cache holds it. Two processes may do so at once.

    Raises:
        MmbenchError: if its builder gives something else than its card and ``Source`` say.
    """
    found = find(card, parameters)
    if found:
        return found
    source = load(card)(**{**card.preset, **parameters})
    if source.task.kind != card.task.kind or source.task.names != card.task.names:
        raise MmbenchError(f"dataset {card.name!r}: its builder gives {source.task}, its card says {card.task}")
    from mmbench.data.validation import validate

    validate(source, card.name)
    folder = _folder(card, parameters)
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    whole = making / "whole"  # a folder that others may read, as ``making`` is not
    try:
        _keep(source.splits, whole)
        kept = {
            "task": asdict(source.task),
            "fingerprint": fingerprint(source.splits),
            "sizes": {name: len(split) for name, split in source.splits.items()},
            "ceiling": source.ceiling,
            "missing": any("present" in split.column_names for split in source.splits.values()),
        }
        (whole / "prepared.json").write_text(json.dumps(kept, indent=1))
        try:
            whole.rename(folder)
        except OSError:
            if not (folder / "prepared.json").exists():  # another process was faster, and its copy is as good
                raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    made = find(card, parameters)
    if made is None:
        raise MmbenchError(f"dataset {card.name!r} was made, but {folder} vanished")
    return made


def fingerprint(splits: "datasets.DatasetDict") -> str:
    """Hash of the decoded content: names, types and bytes of every column of every split.

    Raises:
        MmbenchError: for a column of anything but numbers and lists of fixed size.
    """
    digest = sha256()
    for name in sorted(splits):
        table = splits[name].with_format("arrow")[:]  # the rows that a selection or a shuffle has left
        for column in sorted(table.column_names):
            array = table.column(column).combine_chunks()
            values = _values(array)
            if values.dtype == object:
                raise MmbenchError(f"column {column!r} of {name} has type {array.type}: a dataset holds numbers alone")
            digest.update(f"{name} {column} {array.type} {len(array)}\n".encode())
            digest.update(values.tobytes())
    return digest.hexdigest()


def _values(array: Any) -> "NDArray[Any]":
    """An Arrow array's values, whatever its offset and padding."""
    while hasattr(array, "flatten") and hasattr(array.type, "list_size"):
        array = array.flatten()
    values: NDArray[Any] = array.to_numpy(zero_copy_only=False)
    return values


def _keep(splits: "datasets.DatasetDict", folder: Path) -> None:
    from datasets.utils.logging import disable_progress_bar

    disable_progress_bar()
    splits.save_to_disk(folder / "splits")


def _folder(card: DatasetCard, parameters: Mapping[str, object]) -> Path:
    module = card.build.partition(":")[0]
    made_by = [FORMAT, card.version, card.build, {**card.preset, **parameters}, folder_source(module)]
    key = sha256(json.dumps(made_by, sort_keys=True).encode()).hexdigest()[:12]
    spec = Spec.of(card.name, parameters)
    return cache_root() / "datasets" / f"{spec.slug}-{key}"
