"""Memory: what nobody uses any more is given back before a peak is taken; and how much batches may take."""

import contextlib
import ctypes
import gc

import psutil
import torch

from mmbench.train.peak import PeakMemory

SHARE = 0.5


def fresh_peak(device: str) -> PeakMemory:
    """A peak that begins where what was freed before no longer counts."""
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()
    else:
        with contextlib.suppress(AttributeError, OSError):  # glibc's alone
            ctypes.CDLL(None).malloc_trim(0)
    return PeakMemory(device)


def usual_limit() -> int:
    """Bytes that batches may take on a CPU unless the user says otherwise: half of what is free now."""
    return int(SHARE * psutil.virtual_memory().available)
