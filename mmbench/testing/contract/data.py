"""Tasks that a card takes, and variants of inputs that must, or must not, change what a method says."""

from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from mmbench.core.cards import MethodCard
from mmbench.core.modality import Modality
from mmbench.core.task import BERNOULLI, Task, TaskKind
from mmbench.nn.records import Inputs, Split
from mmbench.testing.samples import MODALITIES, make_split, make_task

ALL = "image sequence vector tokens frames spectrogram wide fast vector tokens"  # what is cut off leaves several kinds
SINGLE = ("vector", "image", "spectrogram", "sequence", "frames", "tokens")
FEW = ("sequence", "vector vector", ALL)  # one modality, two, and ten of every kind
MANY = (*SINGLE, "vector vector", "sequence fast vector", "tokens frames image", "vector " * 10, ALL)


def mixes(card: MethodCard, wanted: tuple[str, ...], limit: int = 10) -> list[str]:
    """Those of the wanted mixes of modalities that a card takes: kinds that it does not take are left out
    of them, and what is too many or above ``limit``."""
    least, most = card.modalities[0], max(min(card.modalities[1], limit), card.modalities[0])
    found = []
    for mix in wanted:
        names = [name for name in mix.split() if MODALITIES[name].kind in card.kinds][:most]
        if names and len(names) >= least:
            found.append(" ".join(names))
    if not found:  # few kinds and several modalities: the first kind, as often as is needed
        names = [name for name in MODALITIES if MODALITIES[name].kind in card.kinds]
        found = [" ".join(names[:1] * max(least, 1))]
    return list(dict.fromkeys(found))


def task_kinds(card: MethodCard) -> list[TaskKind]:
    """Kinds of task with a prediction that a card takes."""
    return [kind for kind in card.tasks if kind != "retrieval"]


def task_of(card: MethodCard, mix: str, kind: TaskKind | None = None) -> Task:
    """A task of a mix; by default of the first kind that the card takes."""
    return make_task(kind or task_kinds(card)[0], mix)


def draw(card: MethodCard, task: Task, rows: int, seed: int = 0) -> Split:
    """Random samples in float64, with absent modalities where the card takes them."""
    return make_split(task, rows, seed, missing=card.missing, dtype=torch.float64)


def mixed(inputs: Inputs, other: Inputs, foreign: Callable[[str], Tensor]) -> Inputs:
    """Values of ``other`` wherever ``foreign(name)`` (B,) or (B,T) says so; a foreign row has the other's length."""
    values, lengths = dict(inputs.values), dict(inputs.lengths)
    for name, value in values.items():
        where = foreign(name)
        values[name] = torch.where(
            where.reshape(*where.shape, *[1] * (value.dim() - where.dim())), other.values[name], value
        )
        if name in lengths and where.dim() == 1:
            lengths[name] = torch.where(where, other.lengths[name], lengths[name])
    return replace(inputs, values=values, lengths=lengths)


def noise(task: Task, rows: int, seed: int, scale: float = 1.0) -> Inputs:
    """Inputs without absences or padding, as loud as ``scale``."""
    full = make_split(task, rows, seed, dtype=torch.float64).inputs
    g = torch.Generator().manual_seed(seed + 1)
    values, lengths = {}, {}
    for modality in task.modalities:
        value = full.values[modality.name]
        if modality.kind == "tokens":
            values[modality.name] = torch.randint(1, modality.vocabulary, value.shape, generator=g)
        else:
            values[modality.name] = scale * torch.randn(value.shape, generator=g, dtype=value.dtype)
        if modality.timed:
            lengths[modality.name] = torch.full((rows,), modality.shape[0])
    return Inputs(values, full.present, lengths)


def separable(task: Task, rows: int, seed: int, missing: bool) -> Split:
    """Samples whose target every modality shows plainly: a pattern a class, label or target value, and
    little noise; of tokens, other words for each class (label, sign)."""
    one, laws = make_split(task, rows, seed, missing), torch.Generator().manual_seed(7)
    assert one.target is not None
    signal = _signal(task, one.target)
    values = {}
    for modality in task.modalities:
        value = one.inputs.values[modality.name]
        pattern = torch.randn(signal.shape[1], *modality.shape, generator=laws)
        if modality.kind == "tokens":
            values[modality.name] = _words(modality, value, signal)
        else:
            values[modality.name] = 0.3 * value + torch.tensordot(signal, pattern, 1)
    inputs = Inputs(values, one.inputs.present, one.inputs.lengths).keep(one.inputs.present)
    return replace(one, inputs=unpadded(inputs))


def _signal(task: Task, target: Tensor) -> Tensor:
    """(N,S) floats that say the target."""
    if task.kind == "classification":
        return 1.5 * F.one_hot(target, task.outputs).float()
    return 2 * target - 1 if task.kind in BERNOULLI else target


def _words(modality: Modality, value: Tensor, signal: Tensor) -> Tensor:
    """Ids of the class's own share of the vocabulary, 0 where there was 0."""
    share = (modality.vocabulary - 1) // max(signal.shape[1], 2)
    of_class = signal.argmax(1) if signal.shape[1] > 1 else (signal[:, 0] > 0).long()
    return torch.where(value > 0, 1 + value % share + share * of_class[:, None], 0)


def unpadded(inputs: Inputs) -> Inputs:
    """Zero beyond the lengths."""
    values = dict(inputs.values)
    for name in inputs.lengths:
        mask = inputs.mask(name)
        values[name] = values[name] * mask.reshape(*mask.shape, *[1] * (values[name].dim() - 2)).to(values[name].dtype)
    return replace(inputs, values=values)
