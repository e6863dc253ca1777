"""What is not there does not matter."""

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from mmbench.nn.records import Inputs
from mmbench.testing.contract.check import require
from mmbench.testing.contract.data import FEW, mixed, noise
from mmbench.testing.contract.subject import Case, Subject

LOUD = 100.0


def absent(subject: Subject) -> None:
    """Where a modality is absent, its values and its length change nothing, and get no gradient."""
    for mix in subject.mixes(FEW):
        case = subject.case(mix)
        inputs = case.split.inputs
        spoilt = mixed(inputs, noise(case.task, len(inputs), 5, LOUD), partial(_absent, inputs))
        _same(case, spoilt, "values of an absent modality", "mask them by inputs.present, here(name) or mask(name)")
        if subject.is_model:
            _no_gradient(case, spoilt)


def padding(subject: Subject) -> None:
    """What stands beyond the length of a sequence or of tokens changes nothing."""
    for mix in subject.mixes(("sequence", "tokens", "frames fast tokens vector")):
        case = subject.case(mix)
        inputs = case.split.inputs
        if not inputs.lengths:
            continue
        loud = noise(case.task, len(inputs), 5, LOUD)
        spoilt = mixed(inputs, loud, partial(_padded, inputs))
        _same(case, spoilt, "values beyond the length of a sequence", "mask frames by inputs.mask(name)")


def _absent(inputs: Inputs, name: str) -> Tensor:
    """(B,)."""
    return ~inputs.here(name)


def _padded(inputs: Inputs, name: str) -> Tensor:
    """(B,T) where modality is present and past its end; (B,) of false for those without lengths."""
    if name not in inputs.lengths:
        return torch.zeros_like(inputs.here(name))
    return ~inputs.mask(name) & inputs.here(name)[:, None]


@torch.no_grad()
def _same(case: Case, spoilt: Inputs, what: str, advice: str) -> None:
    field = case.unlike(case.output, case.answer(spoilt))
    require(not field, f"{what} change output.{field} {case.where}; {advice}")


def _no_gradient(case: Case, spoilt: Inputs) -> None:
    values = {name: x.requires_grad_() if x.is_floating_point() else x for name, x in spoilt.values.items()}
    answer = case.answer(replace(spoilt, values=values))
    total = torch.stack([x.square().sum() for x in answer.values() if x.requires_grad]).sum()
    watched = {name: x for name, x in values.items() if x.requires_grad}
    if not watched:
        return
    found = torch.autograd.grad(total, list(watched.values()), allow_unused=True)
    for name, gradient in zip(watched, found, strict=True):
        require(
            gradient is None or not gradient[~spoilt.here(name)].any(),
            f"absent values of {name!r} get a gradient {case.where}: the output depends on them; mask them",
        )
