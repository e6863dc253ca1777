"""Predictions and targets: read from beside the records, and held against what the records say."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmbench.boards.gather import Gathering, Row
from mmbench.boards.resampling import Units
from mmbench.boards.weighted import weighted_scores
from mmbench.boards.weighted.sums import Array, Floats
from mmbench.results import store
from mmbench.results.schema import TaskRecord

FINGERPRINT_DIGITS = 16
TOLERANCE = 1e-3  # predictions are kept in float32, scores were computed in float64


class UnusableError(Exception):
    """Why a row, or a whole dataset, gets no intervals."""


@dataclass(frozen=True)
class Targets:
    """What the predictions for the test split should have been.

    Attributes:
        target: (N,) classes; (N,K) labels or values.
        units: what to resample.
    """

    target: Array
    units: Units


@dataclass(frozen=True)
class RowPredictions:
    """A row's predictions, one a seed.

    Attributes:
        row: of which they are.
        seeds: (N,K) each.
    """

    row: Row
    seeds: tuple[Array, ...]


def read_targets(gathering: Gathering) -> Targets:
    """The targets of the test split that the newest record was measured on.

    Raises:
        UnusableError: if there are none, or nothing of them can be resampled.
    """
    path = gathering.folder / f"test-{gathering.newest.identity.data[:FINGERPRINT_DIGITS]}.npz"
    arrays = _arrays(path, "target")
    target, group = arrays["target"], arrays.get("group")
    _check_target(path.name, target, gathering.task)
    if group is not None and len(group) != len(target):
        raise UnusableError(f"{path.name} has {len(group)} groups for {len(target)} targets")
    units = Units.of(len(target), group, gathering.task.group)
    if units.count < 2:
        raise UnusableError(f"{units.count} {units.name} in the test split: nothing to resample")
    return Targets(target, units)


def read_predictions(row: Row, targets: Targets) -> RowPredictions:
    """The predictions of all of a row's finished seeds.

    Raises:
        UnusableError: if one is missing, or does not give the scores that its record states.
    """
    if not row.results:
        raise UnusableError("no seed finished")
    seeds = []
    for path, result in zip(row.paths, row.results, strict=True):
        where = f"seed {result.identity.seed}"
        prediction = _arrays(path.with_suffix(".npz"), "prediction", where)["prediction"]
        wanted = (len(targets.target), result.task.outputs)
        if prediction.shape != wanted:
            raise UnusableError(f"{where}: predictions have shape {prediction.shape}, the test split has {wanted}")
        if not np.isfinite(prediction).all():
            raise UnusableError(f"{where}: predictions are not finite")
        _check(where, result.scores, unit_scores(result.task.kind, prediction, targets.target, result.scores))
        seeds.append(prediction)
    return RowPredictions(row, tuple(seeds))


def unit_scores(kind: str, prediction: Array, target: Array, names: dict[str, float]) -> dict[str, float]:
    """The named scores of the test split as it is."""
    once: Floats = np.ones((len(target), 1))
    found = weighted_scores(kind, prediction, target, once, names)
    return {name: float(value[0]) for name, value in found.items()}


def _check(where: str, stated: dict[str, float], found: dict[str, float]) -> None:
    for name, value in found.items():
        if abs(value - stated[name]) > TOLERANCE * max(1.0, abs(stated[name])):
            raise UnusableError(
                f"{where}: its record states {name} {stated[name]:.4g}, its predictions give {value:.4g}"
            )


def _check_target(name: str, target: Array, task: TaskRecord) -> None:
    """Classes within the task's, or one column an output."""
    if task.kind == "classification":
        fits = target.ndim == 1 and target.dtype.kind == "i" and len(target) and 0 <= target.min() <= target.max()
        if not fits or target.max() >= task.outputs:
            raise UnusableError(f"{name}: the targets are not classes 0 to {task.outputs - 1}")
    elif target.ndim != 2 or target.shape[1] != task.outputs:
        raise UnusableError(f"{name}: targets have shape {target.shape}, the task has {task.outputs} outputs")


def _arrays(path: Path, name: str, where: str = "") -> dict[str, Array]:
    """An npz that holds the named array."""
    prefix = f"{where}: " if where else ""
    try:
        arrays = store.read_arrays(path)
    except FileNotFoundError:
        raise UnusableError(f"{prefix}{path.name} is missing") from None
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise UnusableError(f"{prefix}{path.name} cannot be read ({type(error).__name__})") from None
    if name not in arrays:
        raise UnusableError(f"{prefix}{path.name} holds no array {name!r}")
    return arrays
