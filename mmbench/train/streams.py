"""Random streams: every draw comes from the cell's seed and a name, so that none shifts another."""

import random
from hashlib import sha256

import numpy as np
import torch
from torch import Tensor


def stream(seed: int, *names: object) -> int:
    """A 63-bit seed of its own for each (seed, names)."""
    return int.from_bytes(sha256(repr((seed, *names)).encode()).digest()[:8], "big") >> 1


def seed_all(seed: int, *names: object) -> None:
    """Seed the global streams of torch, NumPy and Python, for plugins that draw from any of them."""
    torch.manual_seed(stream(seed, *names))
    np.random.seed(stream(seed, "numpy", *names) % 2**32)  # plugins' habit, not ours
    random.seed(stream(seed, "python", *names))


def generator(seed: int, *names: object) -> torch.Generator:
    return torch.Generator().manual_seed(stream(seed, *names))


def batch_order(seed: int, stage: int, epoch: int, rows: int) -> Tensor:
    """(rows,) long: the order of an epoch, a pure function of its arguments."""
    return torch.randperm(rows, generator=generator(seed, "order", stage, epoch))
