"""Arithmetic: where and how precisely a cell computes. All of it is part of a result's key."""

from dataclasses import dataclass
from typing import Literal, get_args

Device = Literal["cpu", "cuda"]
Dtype = Literal["float32", "float64", "tf32", "bfloat16"]
DEVICES: tuple[Device, ...] = get_args(Device)
DTYPES: tuple[Dtype, ...] = get_args(Dtype)


@dataclass(frozen=True)
class Arithmetic:
    """How a cell computes.

    Args:
        device: ``cpu`` or ``cuda``.
        dtype: ``float32``; ``float64``; ``tf32`` (float32 whose matrix products and convolutions round
            their factors to 10 bits of mantissa; CUDA alone); ``bfloat16`` (autocast: parameters and
            the optimiser stay in float32).
        threads: of the process, on the CPU.
        compiled: whether training steps go through ``torch.compile``; on CUDA in its
            ``reduce-overhead`` mode, which records CUDA graphs.
        deterministic: whether torch is held to deterministic kernels, and refuses what has none.
    """

    device: Device = "cpu"
    dtype: Dtype = "float32"
    threads: int = 1
    compiled: bool = False
    deterministic: bool = False
