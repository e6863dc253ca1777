"""The labelled part of a split."""

from torch import Tensor

from mmbench import Inputs, Split


def supervised(split: Split) -> tuple[Inputs, Tensor]:
    """Inputs and targets of the rows that have a label.

    Raises:
        ValueError: if targets are withheld.
    """
    if split.labelled is not None:
        split = split.take(split.labelled.nonzero().flatten())
    if split.target is None:
        raise ValueError("targets are needed, and this split has none")
    return split.inputs, split.target
