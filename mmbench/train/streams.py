"""Random streams: every draw comes from the cell's seed and a name, so that none shifts another."""

from hashlib import sha256

import torch
from torch import Tensor


def stream(seed: int, *names: object) -> int:
    """A 63-bit seed of its own for each (seed, names)."""
    return int.from_bytes(sha256(repr((seed, *names)).encode()).digest()[:8], "big") >> 1


def generator(seed: int, *names: object) -> torch.Generator:
    return torch.Generator().manual_seed(stream(seed, *names))


def batch_order(seed: int, stage: int, epoch: int, rows: int) -> Tensor:
    """(rows,) long: the order of an epoch, a pure function of its arguments."""
    return torch.randperm(rows, generator=generator(seed, "order", stage, epoch))
