"""Tensor records: what flows between the data, the models and the trainer.

Frozen dataclasses, registered as pytrees so that ``torch.func`` maps over them; ``None`` is no leaf.
Shapes: N rows of a split or B of a batch, M modalities, K outputs, T time steps.
"""

from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

Record = TypeVar("Record")


def record(cls: type[Record]) -> type[Record]:
    """Register a frozen dataclass of tensors as a pytree."""
    names = [spec.name for spec in fields(cls)]  # type: ignore[arg-type]
    pytree.register_dataclass(cls, field_names=names)
    return cls


@record
@dataclass(frozen=True)
class Inputs:
    """The modalities of some samples.

    Attributes:
        values: {m: (B,*shape)}, in the task's order; zero where absent or padded.
        present: (B,M) bool, at least one true in every row that reaches a model.
        lengths: {m: (B,)} long, at least 1; sequences and tokens alone.
        times: {m: (B,T)} seconds; irregular sampling alone.
    """

    values: dict[str, Tensor]
    present: Tensor
    lengths: dict[str, Tensor] = field(default_factory=dict)
    times: dict[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.present.shape[0]

    @property
    def names(self) -> list[str]:
        return list(self.values)

    def here(self, name: str) -> Tensor:
        """(B,) bool: where modality ``name`` is present."""
        return self.present[:, self.names.index(name)]

    def mask(self, name: str) -> Tensor:
        """(B,T) bool: frames of a timed modality that are neither padded nor absent."""
        steps = torch.arange(self.values[name].shape[1], device=self.present.device)
        return (steps < self.lengths[name][:, None]) & self.here(name)[:, None]

    def keep(self, present: Tensor) -> "Inputs":
        """A copy in which what is not ``present`` (B,M) is absent as well, its values zero."""
        present = self.present & present
        values = {
            name: torch.where(_expand(present[:, i], value), value, value.new_zeros(()))
            for i, (name, value) in enumerate(self.values.items())
        }
        return replace(self, values=values, present=present)

    def without(self, *names: str) -> "Inputs":
        """A copy in which the named modalities are absent.

        Raises:
            ValueError: if one of them is not there.
        """
        gone = [self.names.index(name) for name in names]
        kept = torch.tensor([i not in gone for i in range(len(self.names))], device=self.present.device)
        return self.keep(kept.expand_as(self.present))

    def merge(self, other: "Inputs") -> "Inputs":
        """Entries absent here filled from ``other``, which may hold some of the modalities only."""
        values, lengths, times = dict(self.values), dict(self.lengths), dict(self.times)
        present = list(self.present.unbind(1))
        for name in other.values:
            mine, i = self.here(name), self.names.index(name)
            values[name] = torch.where(_expand(mine, values[name]), values[name], other.values[name])
            for ours, theirs in ((lengths, other.lengths), (times, other.times)):
                if name in ours and name in theirs:
                    ours[name] = torch.where(_expand(mine, ours[name]), ours[name], theirs[name])
            present[i] = mine | other.here(name)
        return Inputs(values, torch.stack(present, 1), lengths, times)

    def take(self, index: Tensor) -> "Inputs":
        """The rows of ``index`` (B,) long."""
        return Inputs(
            {name: value.index_select(0, index) for name, value in self.values.items()},
            self.present.index_select(0, index),
            {name: value.index_select(0, index) for name, value in self.lengths.items()},
            {name: value.index_select(0, index) for name, value in self.times.items()},
        )


def _expand(rows: Tensor, like: Tensor) -> Tensor:
    """(B,) with axes of size 1 added until it broadcasts against ``like`` (B,…)."""
    return rows.reshape(-1, *[1] * (like.dim() - 1))


@record
@dataclass(frozen=True)
class Split:
    """A part of a dataset as tensors, column by column.

    Attributes:
        inputs: of N samples.
        target: (N,) long class, (N,L) float labels or (N,D) float values; None where withheld.
        labelled: (N,) bool, None if all are; targets of the others are blanked.
        domain: (N,) long, where samples come from several domains.
        scaling: {m: (2,1,…)} mean and deviation of the packed modalities: their values are bytes
            (uint8), a quarter of the memory, and become standardised floats a batch at a time. No
            model and no estimator meets them, unless it says ``packed = True``.
    """

    inputs: Inputs
    target: Tensor | None = None
    labelled: Tensor | None = None
    domain: Tensor | None = None
    scaling: dict[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, index: Tensor) -> "Split":
        """The rows of ``index`` (B,) long."""
        others = (self.target, self.labelled, self.domain)
        target, labelled, domain = (None if x is None else x.index_select(0, index) for x in others)
        return Split(self.inputs.take(index), target, labelled, domain, self.scaling)

    def part(self, rows: slice) -> "Split":
        """Neighbouring rows, without a copy."""
        found: Split = pytree.tree_map(lambda x: x[rows], replace(self, scaling={}))
        return replace(found, scaling=self.scaling)

    def unpacked(self) -> "Split":
        """The same with standardised floats in place of bytes; zero where absent or padded."""
        if not self.scaling:
            return self
        values = dict(self.inputs.values)
        for name, (mean, deviation) in self.scaling.items():
            scaled = (values[name].to(mean.dtype) - mean) / deviation
            real = self.inputs.mask(name) if name in self.inputs.lengths else self.inputs.here(name)
            values[name] = torch.where(real.reshape(*real.shape, *[1] * (scaled.dim() - real.dim())), scaled, 0)
        return replace(self, inputs=replace(self.inputs, values=values), scaling={})

    def supervised(self) -> tuple["Split", Tensor]:
        """The rows that have a label, and their targets.

        Raises:
            ValueError: if targets are withheld.
        """
        split = self if self.labelled is None else self.take(self.labelled.nonzero()[:, 0])
        if split.target is None:
            raise ValueError("targets are needed, and this split has none")
        return split, split.target

    def withheld(self) -> "Split":
        """The same without its targets: what ``predict`` is given."""
        return Split(self.inputs, None, None, self.domain, self.scaling)


@record
@dataclass(frozen=True)
class Batch:
    """Rows of the train split (or, in validation, of the validation split) at one step.

    Attributes:
        inputs: untouched by terms.
        target: hard targets, as in ``Split``; None where withheld.
        index: (B,) long, rows in the split: the key of per-sample state.
        epoch: () float within the stage; infinite in validation.
        soft: (B,K) target distribution that a term has set; None for hard targets.
        labelled, domain: as in ``Split``.
    """

    inputs: Inputs
    target: Tensor | None
    index: Tensor
    epoch: Tensor
    soft: Tensor | None = None
    labelled: Tensor | None = None
    domain: Tensor | None = None


@record
@dataclass(frozen=True)
class FusionOutput:
    """Everything that one forward pass gives; what a model does not have stays empty.

    Attributes:
        prediction: (B,K) logits (a log-probability is one), or values in regression.
        embeddings: {m: (B,d_m)}, before fusion, each of modality m alone.
        fused: (B,d).
        unimodal: {m: (B,K)} predictions from one modality each.
        generated: {m: (B,*shape)}.
        losses: {name: ()}, weighted already; added to the criterion.
    """

    prediction: Tensor | None = None
    embeddings: dict[str, Tensor] = field(default_factory=dict)
    fused: Tensor | None = None
    unimodal: dict[str, Tensor] = field(default_factory=dict)
    generated: dict[str, Tensor] = field(default_factory=dict)
    losses: dict[str, Tensor] = field(default_factory=dict)


@record
@dataclass(frozen=True)
class Encoded:
    """The modalities after their encoders.

    Attributes:
        tokens: {m: (B,T_m,d)}.
        masks: {m: (B,T_m)} bool, False where padded or absent.
        stages: {m: [(B,c_1), …]}, pooled, from shallow to deep; zero where absent, but the last,
            which is the vector.
        vectors: {m: (B,d)}: masked mean of the tokens; a learned missing token where absent.
    """

    tokens: dict[str, Tensor]
    masks: dict[str, Tensor]
    stages: dict[str, list[Tensor]]
    vectors: dict[str, Tensor]

    def stack(self) -> Tensor:
        """(B,M,d)."""
        return torch.stack(list(self.vectors.values()), 1)

    def concat(self) -> Tensor:
        """(B,M*d)."""
        return torch.cat(list(self.vectors.values()), 1)
