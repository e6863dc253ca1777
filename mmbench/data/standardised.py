"""The standardised form of a dataset, kept in the cache: made once, and mapped by every worker.

Layout: ``<dataset>/standardised-<hash of what makes it>/`` with a folder of arrays for each split and
one for the scalings. Made in blocks of rows, so that no dataset is too large for the memory.
"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mmbench.core.errors import MmbenchError
from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.data import arrays
from mmbench.data.columns import SPLITS, blocks
from mmbench.data.whole import remove_unchanged, whole

if TYPE_CHECKING:  # a worker that maps what is there already never pays for it
    import datasets

MAKERS = ("arrays.py", "columns.py", "standardised.py")  # whose change makes another form
SCALING = "scaling"
OUTDATED = 7 * 24 * 3600.0  # seconds after which a form that other code has made is removed

Array = NDArray[Any]


def load(task: Task, folder: Path) -> dict[str, dict[str, Array]]:
    """The standardised form of the dataset in ``folder``, mapped; made first where it is missing.

    Returns:
        For each split the arrays of its N rows: every modality (N,*shape), float32, or as stored for
        tokens and bytes, zero where absent or padded; ``<modality>:length`` (N,) of the timed ones; ``present``
        (N,M); ``target`` and ``group`` where there are some. And under ``scaling``, for modalities
        and a regression's ``target``, the mean and the deviation (2,1,…) float64, each of which
        broadcasts to rows.

    Raises:
        MmbenchError: if it is damaged.
    """
    form = folder / form_name()
    if not form.is_dir():
        if not os.access(folder, os.W_OK):  # somebody else's cache: a form that goes with this process
            with tempfile.TemporaryDirectory() as own:
                make(task, folder, Path(own))
                return _mapped(Path(own))  # what is mapped outlives the names of its files
        with whole(form) as making:
            make(task, folder, making)
        remove_unchanged(folder, "standardised-*", OUTDATED)
    return _mapped(form)


@cache
def form_name() -> str:
    """Another one for every change of the code that makes the form."""
    here = Path(__file__).parent
    made_by = [np.__version__.encode(), *((here / name).read_bytes() for name in MAKERS)]
    return f"standardised-{sha256(b' '.join(made_by)).hexdigest()[:12]}"


def make(task: Task, folder: Path, form: Path) -> None:
    """Standardise the dataset in ``folder``, with what its train split alone says, into ``form``."""
    import datasets

    form.mkdir(exist_ok=True)
    stored = datasets.load_from_disk(str(folder / "splits"))
    scalings = _fit(task, stored["train"])
    for name in SPLITS:
        keep_all = name == "test"
        standardised = (rows.standardised(task, scalings) for rows in _rows(task, stored[name], keep_all))
        arrays.write(form / name, _count(stored[name], keep_all), standardised)
    fitted = {name: np.stack([scaling.mean, scaling.deviation]) for name, scaling in scalings.items()}
    arrays.write(form / SCALING, 2 if fitted else 0, [fitted] if fitted else [])  # tokens alone have none


def _mapped(form: Path) -> dict[str, dict[str, Array]]:
    try:
        return {name: arrays.mapped(form / name) for name in (*SPLITS, SCALING)}
    except arrays.DamagedError as damage:
        raise MmbenchError(f"{damage}; delete the folder {form}, it will be made anew") from None


@dataclass(frozen=True)
class _Scaling:
    """Mean and deviation of each feature, float64, broadcastable to rows."""

    mean: Array
    deviation: Array

    def apply(self, values: Array) -> Array:
        scaled = values.astype(np.float64)
        scaled -= self.mean
        scaled /= self.deviation
        return scaled.astype(np.float32)


class _Moments:
    """Mean and squared deviations of each feature over blocks of rows, merged after Chan et al. (1983)."""

    def __init__(self, axis: int) -> None:
        self.axis = axis  # of the features
        self.count = 0.0  # values of each feature
        self.mean: Array = np.zeros(())
        self.squares: Array = np.zeros(())

    def add(self, values: Array, real: Array) -> None:
        """Values (B,…), of which those count that are ``real`` (broadcastable, the same for all features)."""
        others = tuple(axis for axis in range(values.ndim) if axis != self.axis)
        count = float(real.sum()) * values.size / max(real.size * values.shape[self.axis], 1)
        known = _blanked(values.astype(np.float64), real)
        mean = known.sum(others, keepdims=True) / max(count, 1.0)
        known -= mean
        squares = np.square(_blanked(known, real), out=known).sum(others, keepdims=True)
        together = max(self.count + count, 1.0)
        shift = mean - self.mean
        self.squares = self.squares + squares + np.square(shift) * (self.count * count / together)
        self.mean = self.mean + shift * (count / together)
        self.count += count

    def scaling(self) -> _Scaling:
        """A constant feature keeps deviation 1."""
        deviation = np.sqrt(self.squares / max(self.count, 1.0))
        spread = deviation > 1e-8 * np.maximum(np.abs(self.mean), 1e-6)
        return _Scaling(self.mean, np.where(spread, deviation, 1.0))


def _fit(task: Task, train: "datasets.Dataset") -> dict[str, _Scaling]:
    """Over present samples and real frames: of each feature of a vector, of each channel of the others."""
    scaled = [modality for modality in task.modalities if modality.kind != "tokens"]
    moments = {modality.name: _Moments(axis=2 if modality.timed else 1) for modality in scaled}
    target = _Moments(axis=1)
    for rows in _rows(task, train, keep_all=False):
        for modality in scaled:
            moments[modality.name].add(rows.values[modality.name], rows.real(modality))
        if task.kind == "regression" and "target" in rows.others:
            target.add(rows.others["target"], np.ones((len(rows.present), 1), dtype=bool))
    if target.count:
        moments["target"] = target
    return {name: each.scaling() for name, each in moments.items()}


@dataclass(frozen=True)
class _Rows:
    """A block of rows as they are stored.

    Attributes:
        names: of the modalities, in the task's order.
        values: {m: (B,*shape)}.
        lengths: {m: (B,)} of the timed ones.
        present: (B,M).
        others: target and group, where there are some.
    """

    names: list[str]
    values: dict[str, Array]
    lengths: dict[str, Array]
    present: Array
    others: dict[str, Array]

    def take(self, kept: Array) -> "_Rows":
        """Those that are ``kept`` (B,) bool."""
        parts = ({name: part[kept] for name, part in each.items()} for each in (self.values, self.lengths, self.others))
        values, lengths, others = parts
        return _Rows(self.names, values, lengths, self.present[kept], others)

    def real(self, modality: Modality) -> Array:
        """True where a value is neither absent nor padded, broadcastable to the values."""
        real: Array = self.present[:, self.names.index(modality.name)]
        if modality.timed:
            real = (np.arange(modality.shape[0]) < self.lengths[modality.name][:, None]) & real[:, None]
        return real.reshape(*real.shape, *[1] * (1 + len(modality.shape) - real.ndim))

    def standardised(self, task: Task, scalings: dict[str, _Scaling]) -> dict[str, Array]:
        """The arrays of the standardised form."""
        block: dict[str, Array] = {}
        for modality in task.modalities:
            name, real = modality.name, self.real(modality)
            values = _blanked(self.values[name].copy(), real)  # what stands there may be no number at all
            scaled = name in scalings and values.dtype != np.uint8  # bytes are scaled a batch at a time
            block[name] = _blanked(scalings[name].apply(values), real) if scaled else values
        block.update({f"{name}:length": length for name, length in self.lengths.items()})
        block["present"] = self.present
        block.update(self.others)
        if "target" in scalings and "target" in self.others:
            block["target"] = scalings["target"].apply(self.others["target"])
        return block


def _blanked(values: Array, real: Array) -> Array:
    """The values, in place, with zero wherever they are not real."""
    if not real.all():
        np.copyto(values, 0, where=~real)
    return values


def _rows(task: Task, split: "datasets.Dataset", keep_all: bool) -> Iterator[_Rows]:
    """The rows of a split, without those that lack every modality unless all are kept."""
    lengths = [f"{modality.name}:length" for modality in task.modalities if modality.timed]
    columns = [*task.names, *lengths, "present", "target", "group"]
    for block in blocks(split, [column for column in columns if column in split.column_names]):
        count = len(block[task.names[0]])
        present = block.get("present", np.ones((count, len(task.modalities)), dtype=bool)).astype(bool, copy=False)
        rows = _Rows(
            list(task.names),
            {m.name: block[m.name].reshape(count, *m.shape) for m in task.modalities},
            {
                m.name: block.get(f"{m.name}:length", np.full(count, m.shape[0], dtype=np.int64))
                for m in task.modalities
                if m.timed
            },
            present,
            {name: block[name] for name in ("target", "group") if name in block},
        )
        kept = np.asarray(present.any(1))
        yield rows if keep_all or kept.all() else rows.take(kept)


def _count(split: "datasets.Dataset", keep_all: bool) -> int:
    """How many rows ``_rows`` gives."""
    if keep_all or "present" not in split.column_names:
        return len(split)
    return sum(int(block["present"].any(1).sum()) for block in blocks(split, ["present"]))
