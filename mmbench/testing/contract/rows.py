"""Rows of a batch do not know of each other."""

from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from mmbench.testing.contract.check import require
from mmbench.testing.contract.data import FEW, draw
from mmbench.testing.contract.subject import Subject


@torch.no_grad()
def own(subject: Subject) -> None:
    """A row's prediction, and every other field of it, is the same in every batch: alone, and in any order
    and company."""
    for mix in subject.mixes(FEW):
        case = subject.case(mix)
        answer, inputs = case.output, case.split.inputs
        count = len(inputs)
        parts = {"alone": torch.tensor([count - 1]), "in another order": torch.arange(count).flip(0)}
        parts["in a smaller batch"] = torch.arange(0, count, 3)
        for how, index in parts.items():
            again = case.answer(inputs.take(index))
            field = case.unlike({name: x[index] for name, x in answer.items()}, again)
            require(
                not field,
                f"output.{field} of a row is another when the row is {how} {case.where}: in eval mode rows must not "
                "be mixed (attention over the batch axis, statistics of the batch, squeeze() of a batch of one)",
            )


@torch.no_grad()
def linear(subject: Subject) -> None:
    """Work and memory grow in proportion to the batch, by the numbers that operations make."""
    for mix in subject.mixes(FEW[1:]):
        case = subject.case(mix)
        model, sizes = case.model, []
        for rows in (8, 16, 24):
            inputs = draw(subject.card, case.task, rows).inputs
            with Count() as count:  # type: ignore[no-untyped-call]
                model(inputs)
            sizes.append(count.numbers)
        first, second = sizes[1] - sizes[0], sizes[2] - sizes[1]
        require(
            second <= 1.001 * first,
            f"{case.where}, 8 more rows in a batch of 8 make {first} more numbers, and in a batch of 16 {second} more: "
            "something grows with the square of the batch (a B x B matrix?)",
        )


class Count(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the numbers that operations make."""

    numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        self.numbers += sum(x.numel() for x in pytree.tree_leaves(out) if isinstance(x, Tensor))
        return out
