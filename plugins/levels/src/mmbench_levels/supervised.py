"""The labelled part of a split."""

from torch import Tensor

from mmbench import Split


def supervised(split: Split) -> tuple[Split, Tensor]:
    """The rows that have a label, and their targets.

    Raises:
        ValueError: if targets are withheld.
    """
    if split.labelled is not None:
        split = split.take(split.labelled.nonzero().flatten())
    if split.target is None:
        raise ValueError("targets are needed, and this split has none")
    return split, split.target
