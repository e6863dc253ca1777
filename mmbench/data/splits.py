"""From a prepared dataset to splits of tensors, standardised with what the train split alone says."""

from dataclasses import dataclass, replace
from pathlib import Path

import datasets
import numpy as np
import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.data.source import SPLITS
from mmbench.nn.records import Inputs, Split


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
        train, validation: standardised; rows without any modality are left out.
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
            values[name] = _blank(scaling.undo(values[name].double()), inputs, name)
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

    def to(self, device: str, dtype: str) -> "Splits":
        """The same with the splits on a device and their floating numbers in a precision."""
        precision: torch.dtype = getattr(torch, dtype)

        def move(x: Tensor) -> Tensor:
            return x.to(device, precision) if x.is_floating_point() else x.to(device)

        train, validation, test = (pytree.tree_map(move, x) for x in (self.train, self.validation, self.test))
        return replace(self, train=train, validation=validation, test=test)


def load_splits(task: Task, folder: Path) -> Splits:
    """Read, standardise and hold a prepared dataset."""
    stored = datasets.load_from_disk(str(folder / "splits"))
    raw = {name: _split(task, stored[name]) for name in SPLITS}
    group = {
        name: torch.from_numpy(_column(stored[name], "group", ()))
        for name in SPLITS
        if "group" in stored[name].features
    }
    for name in ("train", "validation"):
        some = raw[name].inputs.present.any(1)
        if not bool(some.all()):
            raw[name] = raw[name].take(some.nonzero()[:, 0])
            if name in group:
                group[name] = group[name][some]
    fitted_on = raw["train"]
    scaling = {m.name: fit_scaling(m, fitted_on.inputs) for m in task.modalities if m.kind != "tokens"}
    target = None
    if task.kind == "regression" and fitted_on.target is not None:
        target = _scaling(fitted_on.target.double(), [0])
    train, validation, test = (_standardise(raw[name], scaling, target) for name in SPLITS)
    return Splits(task, train, validation, test, group, scaling, target)


def fit_scaling(modality: Modality, inputs: Inputs) -> Scaling:
    """Over present samples and real frames: of each feature of a vector, of each channel of the others."""
    values = _blank(inputs.values[modality.name].double(), inputs, modality.name)
    real = _real(inputs, modality.name, values).expand_as(values)
    axes = {"vector": [0], "image": [0, 2, 3], "spectrogram": [0, 2, 3]}.get(modality.kind)
    if axes is None:  # a sequence, (B,T,C) or (B,T,C,H,W)
        axes = [axis for axis in range(values.dim()) if axis != 2]
    return _scaling(values, axes, real.to(values.dtype))


def _scaling(values: Tensor, axes: list[int], weight: Tensor | None = None) -> Scaling:
    """A constant feature keeps deviation 1."""
    weight = torch.ones_like(values) if weight is None else weight
    count = weight.sum(axes, keepdim=True).clamp(min=1)
    mean = (values * weight).sum(axes, keepdim=True) / count
    deviation = (((values - mean) * weight).square().sum(axes, keepdim=True) / count).sqrt()
    return Scaling(mean, torch.where(deviation > 1e-8 * mean.abs().clamp(min=1e-6), deviation, 1.0))


def _standardise(split: Split, scaling: dict[str, Scaling], target: Scaling | None) -> Split:
    values = dict(split.inputs.values)
    for name, value in values.items():
        scaled = scaling[name].apply(value.double()).float() if name in scaling else value
        values[name] = _blank(scaled, split.inputs, name)
    inputs = replace(split.inputs, values=values)
    if target is None or split.target is None:
        return replace(split, inputs=inputs)
    return replace(split, inputs=inputs, target=target.apply(split.target.double()).float())


def _blank(values: Tensor, inputs: Inputs, name: str) -> Tensor:
    """Values of a modality with zero wherever it is absent or padded, whatever stood there."""
    return torch.where(_real(inputs, name, values), values, values.new_zeros(()))


def _real(inputs: Inputs, name: str, like: Tensor) -> Tensor:
    """True where a value is neither absent nor padded, broadcastable to ``like`` (B,…)."""
    real = inputs.mask(name) if name in inputs.lengths else inputs.here(name)
    return real.reshape(*real.shape, *[1] * (like.dim() - real.dim()))


def _split(task: Task, stored: datasets.Dataset) -> Split:
    values, lengths = {}, {}
    for modality in task.modalities:
        name = modality.name
        values[name] = torch.from_numpy(_column(stored, name, modality.shape))
        if modality.timed:
            own = f"{name}:length"
            full = np.full(len(stored), modality.shape[0], dtype=np.int64)
            lengths[name] = torch.from_numpy(_column(stored, own, ()) if own in stored.features else full)
    if "present" in stored.features:
        present = torch.from_numpy(_column(stored, "present", (len(task.modalities),)))
    else:
        present = torch.ones(len(stored), len(task.modalities), dtype=torch.bool)
    target = None
    if "target" in stored.features:
        shape = () if task.kind == "classification" else (task.outputs,)
        target = torch.from_numpy(_column(stored, "target", shape))
    return Split(Inputs(values, present, lengths), target)


def _column(stored: datasets.Dataset, name: str, shape: tuple[int, ...]) -> np.ndarray[tuple[int, ...], np.dtype]:
    """A column as a new array (N,*shape); the copy makes it writable, as torch wants."""
    flat = stored.data.column(name).combine_chunks()
    if shape:
        flat = flat.flatten()
    return np.array(flat.to_numpy(zero_copy_only=False)).reshape(len(stored), *shape)
