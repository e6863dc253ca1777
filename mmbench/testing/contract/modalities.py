"""Modalities: each matters, and each is embedded by itself."""

from collections.abc import Callable

import torch
from torch import Tensor

from mmbench.nn.encoders import ModalityEncoders
from mmbench.nn.models import FusionModel
from mmbench.nn.records import Inputs
from mmbench.testing.contract.check import NotAskedError, require
from mmbench.testing.contract.data import FEW, mixed, noise
from mmbench.testing.contract.subject import ROWS, Case, Subject, answers


@torch.no_grad()
def every_one(subject: Subject) -> None:
    """Each modality changes the prediction of samples that have it alone or with another one; of samples that
    have all, where the method takes no absences. Of two modalities, both are there.

    Looked at before ``finish``, which may find in random data that a modality has no weight.
    """
    for mix in subject.mixes(FEW):
        case = subject.case(mix)
        inputs, other = (noise(case.task, ROWS, seed, 2.0) for seed in (3, 4))
        model = subject.model(case.task, case.split, finish=False) if subject.is_model else None

        def predict(x: Inputs, case: Case = case, model: FusionModel | None = model) -> Tensor:
            return answers(model(x))["prediction"] if model else case.answer(x)["prediction"]

        for name in subject.reads(case.task):
            present = _pairs(case, name, ROWS)
            before = predict(inputs.keep(present))
            after = predict(mixed(inputs, other, _only(name, ROWS)).keep(present))
            require(
                not torch.allclose(before, after, case.tolerance, case.tolerance),
                f"the prediction is the same whatever {name!r} shows {case.where}: the method ignores that modality",
            )


@torch.no_grad()
def embeddings(subject: Subject) -> None:
    """``embeddings[m]`` and ``unimodal[m]`` depend on modality m and on no other, nor on which others are
    present: they are taken before fusion."""
    for mix in subject.mixes(FEW):
        case = subject.case(mix)
        answer = {name: x for name, x in case.output.items() if name.startswith(("embeddings[", "unimodal["))}
        for name in case.task.names:
            own = {key: x for key, x in answer.items() if key.endswith(f"[{name}]")}
            if not own:
                continue
            field = case.unlike(own, case.answer(_others_changed(case, name)))
            require(
                not field,
                f"output.{field} depends on other modalities than {name!r} {case.where}: give what the encoder of "
                f"{name!r} made, before anything is fused; a model without such a vector gives none",
            )
            alone = mixed(case.split.inputs, noise(case.task, len(case.split), 4), _only(name, len(case.split)))
            again = case.answer(alone)
            for key, x in own.items():
                require(
                    not torch.allclose(x, again[key], case.tolerance, case.tolerance),
                    f"output.{key} is the same whatever {name!r} shows {case.where}",
                )


@torch.no_grad()
def invariance(subject: Subject) -> None:
    """As its card claims, modalities of one shape that are encoded with the same weights may change places."""
    case = subject.case(subject.mixes(("vector vector vector", "image image image"))[0])
    model = subject.model(case.task, case.split)
    encoders = [module for module in model.modules() if isinstance(module, ModalityEncoders)]
    if not encoders:
        raise NotAskedError("the model has no ModalityEncoders, whose weights could be made the same")
    for module in encoders:
        first = module.each()[0].state_dict()
        for encoder in module.each():
            encoder.load_state_dict(first)
        if module.missing is not None:
            module.missing.copy_(module.missing[:1].expand_as(module.missing))
    inputs, order = case.split.inputs, [*range(1, len(case.task.names)), 0]
    values = {name: inputs.values[case.task.names[i]] for name, i in zip(case.task.names, order, strict=True)}
    moved = Inputs(values, inputs.present[:, order])
    one, other = (answers(model(x))["prediction"] for x in (inputs, moved))
    require(
        torch.allclose(one, other, case.tolerance, case.tolerance),
        "the card claims permutation-invariant, but modalities that change places change the prediction",
    )


def _pairs(case: Case, name: str, rows: int) -> Tensor:
    """(B,M): a modality, and in each row one of the others; of several others, none in every second row."""
    count, column = len(case.task.modalities), case.task.names.index(name)
    if not case.subject.card.missing or count == 1:
        return torch.ones(rows, count, dtype=torch.bool)
    row = torch.arange(rows)
    present = torch.zeros(rows, count, dtype=torch.bool)
    present[row, (column + 1 + row % (count - 1)) % count] = (row % 2 == 0) | (count == 2)
    present[:, column] = True
    return present


def _only(name: str, rows: int) -> Callable[[str], Tensor]:
    """Where one modality alone is replaced."""
    return lambda other: torch.full((rows,), other == name)


def _others_changed(case: Case, name: str) -> Inputs:
    """The same modality, among others with other values; in every second row the others are absent, if the
    card and the row allow it."""
    inputs = case.split.inputs
    rows, column = len(inputs), case.task.names.index(name)
    loud = noise(case.task, rows, 5, 10.0)
    changed = mixed(inputs, loud, lambda other: inputs.here(other) & (other != name))
    if not case.subject.card.missing:
        return changed
    kept = inputs.present.clone()
    kept[::2] = kept[::2] & ~inputs.present[::2, column : column + 1]
    kept[:, column] = inputs.present[:, column]
    return changed.keep(kept)
