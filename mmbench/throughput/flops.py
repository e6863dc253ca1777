"""Operations of a step, over the rows that it has."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from mmbench.measures.cost.flops import count_flops


@dataclass(frozen=True)
class Counted:
    """Floating-point operations; a multiplication and an addition are two.

    Attributes:
        per_sample: of one row; None if that is not known.
        reason: why it is not.
        uncounted: operators that do arithmetic worth counting, and for which torch has no formula.
    """

    per_sample: float | None = None
    reason: str = ""
    uncounted: tuple[str, ...] = ()


def counted(step: Callable[[], object], rows: int, *, gradients: bool) -> Counted:
    """Count one step.

    Args:
        step: to be taken once.
        rows: that it has.
        gradients: whether it needs them.
    """

    def one() -> None:
        with torch.set_grad_enabled(gradients):
            step()

    found = count_flops(one)
    if not found.total:
        return Counted(reason="torch has a formula for none of its operations", uncounted=found.uncounted)
    return Counted(found.total / rows, uncounted=found.uncounted)
