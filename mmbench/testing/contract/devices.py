"""The same on every device."""

import torch
from torch.utils import _pytree as pytree

from mmbench.testing.contract.check import NotAskedError, require
from mmbench.testing.contract.data import FEW
from mmbench.testing.contract.subject import Subject, answers


@torch.no_grad()
def agree(subject: Subject) -> None:
    """A GPU gives what the CPU gives, to 1e-6 in float64; not asked where there is none."""
    if not torch.cuda.is_available():
        raise NotAskedError("there is no GPU here")
    for mix in subject.mixes(FEW):
        case = subject.case(mix)
        model = subject.model(case.task, case.split).cuda()
        found = answers(model(pytree.tree_map(lambda x: x.cuda(), case.split.inputs)))
        for name, x in case.output.items():
            require(
                torch.allclose(x, found[name].cpu(), 1e-6, 1e-6),
                f"output.{name} is another on a GPU {case.where}",
            )
