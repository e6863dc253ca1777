"""What a cell's arithmetic means in terms of torch."""

from contextlib import AbstractContextManager, nullcontext

import torch

from mmbench.core.arithmetic import Arithmetic


def precision(arithmetic: Arithmetic) -> torch.dtype:
    """Of parameters and inputs."""
    return torch.float64 if arithmetic.dtype == "float64" else torch.float32


def autocast(arithmetic: Arithmetic) -> AbstractContextManager[object]:
    """Around every forward pass."""
    if arithmetic.dtype != "bfloat16":
        return nullcontext()
    return torch.autocast(arithmetic.device, torch.bfloat16)


def compile_mode(arithmetic: Arithmetic) -> str:
    """Of ``torch.compile``."""
    return "reduce-overhead" if arithmetic.device == "cuda" else "default"


def set_up(arithmetic: Arithmetic) -> None:
    """Set torch's global flags: once, before the first kernel of a process."""
    torch.set_num_threads(arithmetic.threads)
    tf32 = arithmetic.dtype == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32  # torch allows it by itself, and scores would change silently
    torch.use_deterministic_algorithms(arithmetic.deterministic)
    torch.backends.cudnn.deterministic = arithmetic.deterministic
