"""Energy: what a GPU's own counter says, through NVML, where ``pynvml`` is installed and the device answers."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import torch

from mmbench.core.arithmetic import Arithmetic
from mmbench.throughput.timing import Step

LONG_ENOUGH = 2.0  # seconds of steps: the counter moves every some ten milliseconds
Joules = Callable[[], float]


def energy_counter(arithmetic: Arithmetic) -> Joules | str:
    """A function that reads the joules that the device has used so far; or why there is none."""
    if arithmetic.device != "cuda":
        return "NVML knows NVIDIA GPUs alone, and this is a CPU"
    try:
        nvml = import_module("pynvml")
    except ImportError:
        return "pynvml is not installed: `pip install nvidia-ml-py`"
    return counter_of(nvml, str(torch.cuda.get_device_properties(0).uuid))


def counter_of(nvml: Any, uuid: str) -> Joules | str:
    """The counter of one GPU.

    Args:
        nvml: the module ``pynvml``.
        uuid: of the GPU, without ``GPU-``.
    """
    try:
        nvml.nvmlInit()
        handle = nvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
        nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except Exception as error:  # of an old driver, an old GPU, or a part of one (MIG)
        return f"NVML does not answer: {type(error).__name__}: {error}"

    def joules() -> float:
        return float(nvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1e3

    return joules


def joules_per_1000(counter: Joules, step: Step, seconds: float, batch: int) -> float:
    """Energy for 1,000 samples, all that the device draws meanwhile included.

    Args:
        counter: of the device.
        step: warmed up.
        seconds: of one step; so many are taken that they last two seconds.
        batch: samples of a step.
    """
    steps = max(1, round(LONG_ENOUGH / seconds)) if seconds > 0 else 1
    torch.cuda.synchronize()
    before = counter()
    for _ in range(steps):
        step()
    torch.cuda.synchronize()
    return 1000 * (counter() - before) / (steps * batch)
