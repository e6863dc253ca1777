"""The cache: a dataset is made once, kept as Arrow files, and known by the fingerprint of its content.

Layout: ``<cache>/datasets/<spec>-<hash>/`` with the Arrow files in ``splits``, the standardised form
(see ``standardised``) and ``prepared.json``. The folder appears under its name when it is whole.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from mmbench.core.cards import DatasetCard
from mmbench.core.errors import MmbenchError
from mmbench.core.modality import Modality
from mmbench.core.spec import Spec
from mmbench.core.task import Task
from mmbench.data.whole import whole
from mmbench.registry import load
from mmbench.results.provenance import folder_source

if TYPE_CHECKING:  # finding a prepared dataset must cost nothing heavy
    import datasets

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
    _refuse_other_files(card)
    source = load(card)(**{**card.preset, **parameters})
    if not _keeps_to(card, source.task, default=not parameters):
        raise MmbenchError(f"dataset {card.name!r}: its builder gives {source.task}, its card says {card.task}")
    from mmbench.data import standardised
    from mmbench.data.validation import validate

    validate(source, card.name)
    folder = _folder(card, parameters)
    with whole(folder) as making:
        _keep(source.splits, making)
        kept = {
            "task": asdict(source.task),
            "fingerprint": _expected(card, parameters, fingerprint(source.splits)),
            "sizes": {name: len(split) for name, split in source.splits.items()},
            "ceiling": source.ceiling,
            "missing": any("present" in split.column_names for split in source.splits.values()),
        }
        standardised.make(source.task, making, making / standardised.form_name())
        (making / "prepared.json").write_text(json.dumps(kept, indent=1))
    made = find(card, parameters)
    if made is None:
        raise MmbenchError(f"dataset {card.name!r} was made, but {folder} holds something else or vanished; delete it")
    return made


def fingerprint(splits: "datasets.DatasetDict") -> str:
    """Hash of the decoded content: names, types and bytes of every column of every split.

    Raises:
        MmbenchError: for a column of anything but numbers and lists of fixed size.
    """
    from mmbench.data.columns import blocks, column_type

    digest = sha256()
    for name in sorted(splits):
        split = splits[name]
        for column in sorted(split.column_names):
            kind = column_type(split, column)
            digest.update(f"{name} {column} {kind} {len(split)}\n".encode())
            for block in blocks(split, [column]):
                if block[column].dtype == object:
                    raise MmbenchError(f"column {column!r} of {name} has type {kind}: a dataset holds numbers alone")
                digest.update(block[column].tobytes())
    return digest.hexdigest()


def _refuse_other_files(card: DatasetCard) -> None:
    """Whatever the parameters, a dataset is made from the known files alone; a plugin's own are its own concern.

    Raises:
        MissingFilesError: if there are none.
        MmbenchError: if they are damaged or others.
    """
    from mmbench.data.fetch import verify
    from mmbench.data.fetch.collections import collections

    for name in set(card.collections) & set(collections()):
        problems = verify(name)
        if problems:
            raise MmbenchError(
                f"dataset {card.name!r} cannot be made: {'; '.join(problems)}. `mmbench data path {name}` says where "
                f"they are; `mmbench data fetch {name}` gets the right ones"
            )


def _keeps_to(card: DatasetCard, task: Task, default: bool) -> bool:
    """Whether a task is what the card says, as far as it does: parameters may change all but the kind, and
    data of one's own, whose card states no sizes, have the shapes that are found in them."""
    if not default:
        return task.kind == card.task.kind
    if not any(card.sizes):
        return (task.kind, task.names) == (card.task.kind, card.task.names)
    return task == card.task


def _expected(card: DatasetCard, parameters: Mapping[str, object], found: str) -> str:
    """The fingerprint, if it is what the card pins; under other parameters nothing is pinned."""
    if card.content and not parameters and found != card.content:
        raise MmbenchError(
            f"dataset {card.name!r}: its content has the fingerprint {found}, and its card says {card.content}: "
            f"scores would not be comparable. Check the files with `mmbench data verify {' '.join(card.collections)}`"
        )
    return found


def _keep(splits: "datasets.DatasetDict", folder: Path) -> None:
    from datasets.utils.logging import disable_progress_bar

    disable_progress_bar()
    splits.save_to_disk(folder / "splits")


def _folder(card: DatasetCard, parameters: Mapping[str, object]) -> Path:
    module = card.build.partition(":")[0]
    shared = sha256(Path(__file__).with_name("draws.py").read_bytes()).hexdigest()
    made_by = [FORMAT, card.version, card.build, {**card.preset, **parameters}, folder_source(module), shared]
    key = sha256(json.dumps(made_by, sort_keys=True).encode()).hexdigest()[:12]
    spec = Spec.of(card.name, parameters)
    return cache_root() / "datasets" / f"{spec.slug}-{key}"
