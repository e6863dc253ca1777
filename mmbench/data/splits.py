"""From a prepared dataset to splits of tensors, standardised with what the train split alone says."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from mmbench.core.task import Task
from mmbench.data import standardised
from mmbench.data.columns import SPLITS
from mmbench.nn.records import Inputs, Split

TRANSFER = 2**26  # bytes that go to a GPU at once


@dataclass(frozen=True)
class Scaling:
    """Mean and standard deviation, broadcastable to a batch; (x - mean) / deviation standardises."""

    mean: Tensor
    deviation: Tensor

    def apply(self, x: Tensor) -> Tensor:
        return (x - self.mean.to(x.device)) / self.deviation.to(x.device)

    def undo(self, x: Tensor) -> Tensor:
        return x * self.deviation.to(x.device) + self.mean.to(x.device)


@dataclass(frozen=True)
class Splits:
    """A dataset as the harness holds it.

    Attributes:
        task: what is predicted.
        train, validation: standardised; rows without any modality are left out. Bytes are packed:
            they are standardised a batch at a time (``Split.unpacked``).
        test: standardised, with targets: what a method gets is ``test.withheld()`` of it.
        group: {split: (N,) long}, where samples depend on one another.
        inputs_scaling: by modality; tokens have none.
        target_scaling: of a regression target.
    """

    task: Task
    train: Split
    validation: Split
    test: Split
    group: dict[str, Tensor]
    inputs_scaling: dict[str, Scaling]
    target_scaling: Scaling | None

    def raw(self, inputs: Inputs) -> Inputs:
        """Inputs before standardisation, in float64; absent and padded values are zero again."""
        values = dict(inputs.values)
        for name, scaling in self.inputs_scaling.items():
            packed = not values[name].is_floating_point()
            known = values[name].double()
            values[name] = _blank(known if packed else scaling.undo(known), inputs, name)
        return replace(inputs, values=values)

    def in_units(self, values: Tensor) -> Tensor:
        """Predictions or targets of a regression in the target's own units; others as they are."""
        return values if self.target_scaling is None else self.target_scaling.undo(values)

    def targets_of_test(self) -> dict[str, "np.ndarray[tuple[int, ...], np.dtype]"]:
        """``target`` of the test split in its own units, and ``group`` where there is one."""
        if self.test.target is None:
            return {}
        kept = {"target": self.in_units(self.test.target).cpu().numpy()}
        if self.task.kind == "regression":
            kept["target"] = kept["target"].astype(np.float32)
        if "test" in self.group:
            kept["group"] = self.group["test"].numpy()
        return kept

    def to(self, device: str, precision: torch.dtype) -> "Splits":
        """The same with the splits on a device and their floating numbers in a precision; no tensor that is
        so already is copied."""

        def move(x: Tensor) -> Tensor:
            there = _moved(x, torch.device(device))  # first, so that no more travels than there is
            return there.to(precision) if there.is_floating_point() else there

        train, validation, test = (pytree.tree_map(move, x) for x in (self.train, self.validation, self.test))
        return replace(self, train=train, validation=validation, test=test)


def load_splits(task: Task, folder: Path) -> Splits:
    """Hold a prepared dataset, standardised. Nothing is read before it is used, and all processes share
    what was read; a tensor may be written to, and what is written is this process's own.

    Raises:
        MmbenchError: if the cache is damaged.
    """
    kept = {
        part: {name: torch.from_numpy(array) for name, array in arrays.items()}
        for part, arrays in standardised.load(task, folder).items()
    }
    scalings = {name: Scaling(*both.unbind()) for name, both in kept["scaling"].items()}
    target = scalings.pop("target", None)
    group = {name: kept[name]["group"] for name in SPLITS if "group" in kept[name]}
    train, validation, test = (_split(task, kept[name], scalings) for name in SPLITS)
    return Splits(task, train, validation, test, group, scalings, target)


def _split(task: Task, columns: dict[str, Tensor], scalings: dict[str, Scaling]) -> Split:
    values = {name: columns[name] for name in task.names}
    lengths = {modality.name: columns[f"{modality.name}:length"] for modality in task.modalities if modality.timed}
    packed = {
        name: torch.stack([scaling.mean, scaling.deviation]).float()
        for name, scaling in scalings.items()
        if values[name].dtype == torch.uint8
    }
    return Split(Inputs(values, columns["present"], lengths), columns.get("target"), scaling=packed)


def _moved(x: Tensor, device: torch.device) -> Tensor:
    """A tensor on a device; itself where it is there already.

    To a GPU it goes in blocks through page-locked memory, which is quick and takes little of it.
    """
    if device.type != "cuda" or x.device.type == "cuda" or not len(x):
        return x.to(device)
    moved = torch.empty_like(x, device=device)
    rows = max(1, TRANSFER * len(x) // max(1, x.nbytes))
    for start in range(0, len(x), rows):
        moved[start : start + rows].copy_(x[start : start + rows].pin_memory(), non_blocking=True)
    return moved


def _blank(values: Tensor, inputs: Inputs, name: str) -> Tensor:
    """Values of a modality with zero wherever it is absent or padded, whatever stood there."""
    real = inputs.mask(name) if name in inputs.lengths else inputs.here(name)
    real = real.reshape(*real.shape, *[1] * (values.dim() - real.dim()))
    return torch.where(real, values, values.new_zeros(()))
