"""State of the process that arithmetic depends on: a cell that changes it changes it for itself alone.

Seeds of one batch share a worker. What is listed here is put back after each of them. Not put back
are a plugin's own modules, patches of other libraries, and what only another process could undo.
"""

import contextlib
import gc
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class Setting:
    """A piece of state, by what reads it and what writes what was read."""

    read: Callable[[], Any]
    write: Callable[[Any], object]


def _attributes(owner: object, *names: str) -> list[Setting]:
    """Settings that are attributes; those that this version or build of torch lacks are left out."""
    there = [name for name in names if getattr(owner, name, None) is not None]
    return [Setting(partial(getattr, owner, name), partial(setattr, owner, name)) for name in there]


def _precisions() -> list[Setting]:
    """Of float32 on accelerators. A backend's follow the general one, and an operation's the backend's,
    until they are set themselves: so the general ones come first, and what follows them is not set.
    """
    legacy = Setting(torch.get_float32_matmul_precision, torch.set_float32_matmul_precision)
    settings = [legacy, *_attributes(torch.backends.cudnn, "allow_tf32")]
    pairs = [("generic", "all"), ("cuda", "all"), ("mkldnn", "all")]
    pairs += [(backend, op) for backend in ("cuda", "mkldnn") for op in ("conv", "rnn", "matmul")]
    read: Callable[[str, str], str] | None = getattr(torch._C, "_get_fp32_precision_getter", None)
    write: Callable[[str, str, str], None] | None = getattr(torch._C, "_set_fp32_precision_setter", None)
    if read is not None and write is not None:
        settings += [Setting(partial(read, *pair), partial(write, *pair)) for pair in pairs]
    return settings


def _autocast(device: str) -> list[Setting]:
    return [
        Setting(partial(torch.is_autocast_enabled, device), partial(torch.set_autocast_enabled, device)),
        Setting(partial(torch.get_autocast_dtype, device), partial(torch.set_autocast_dtype, device)),
    ]


def _set_deterministic(state: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(state[0], warn_only=state[1])


def _set_environment(variables: dict[str, str]) -> None:
    for name in set(os.environ) - set(variables):
        del os.environ[name]
    os.environ.update(variables)


def _set_default_device(device: torch.device) -> None:
    torch.set_default_device(None if device.type == "cpu" else device)  # None also takes the mode's cost away


SETTINGS: Sequence[Setting] = (
    Setting(torch.get_default_dtype, torch.set_default_dtype),
    Setting(torch.get_default_device, _set_default_device),
    Setting(torch.is_grad_enabled, torch.set_grad_enabled),
    Setting(torch.get_num_threads, torch.set_num_threads),
    Setting(
        lambda: (torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()),
        _set_deterministic,
    ),
    *_attributes(torch.utils.deterministic, "fill_uninitialized_memory"),
    Setting(
        lambda: (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
        lambda state: torch.autograd.set_detect_anomaly(*state),
    ),
    *_precisions(),
    *_attributes(torch.backends.cudnn, "enabled", "benchmark", "benchmark_limit", "deterministic"),
    *_attributes(torch.backends.mkldnn, "enabled", "deterministic"),
    *_attributes(torch.backends.opt_einsum, "enabled", "strategy"),
    *_attributes(
        torch.backends.cuda.matmul,
        "allow_fp16_reduced_precision_reduction",
        "allow_bf16_reduced_precision_reduction",
        "allow_fp16_accumulation",
    ),
    Setting(torch.backends.cuda.flash_sdp_enabled, torch.backends.cuda.enable_flash_sdp),
    Setting(torch.backends.cuda.mem_efficient_sdp_enabled, torch.backends.cuda.enable_mem_efficient_sdp),
    Setting(torch.backends.cuda.math_sdp_enabled, torch.backends.cuda.enable_math_sdp),
    Setting(torch.backends.cuda.cudnn_sdp_enabled, torch.backends.cuda.enable_cudnn_sdp),
    Setting(torch.backends.mha.get_fastpath_enabled, torch.backends.mha.set_fastpath_enabled),
    *_autocast("cpu"),
    *_autocast("cuda"),
    Setting(np.geterr, lambda state: np.seterr(**state)),
    Setting(gc.isenabled, lambda enabled: gc.enable() if enabled else gc.disable()),
    Setting(lambda: dict(os.environ), _set_environment),
    Setting(os.getcwd, os.chdir),
)
UNREADABLE = object()


@contextlib.contextmanager
def restored_globals() -> Iterator[None]:
    """Put back afterwards what was in force before, the filters of warnings included."""
    before = [_read(setting) for setting in SETTINGS]
    try:
        with warnings.catch_warnings():
            yield
    finally:
        for setting, value in zip(SETTINGS, before, strict=True):
            if value is not UNREADABLE and _read(setting) != value:
                setting.write(value)
        torch.set_flush_denormal(False)  # its state cannot be read; this is how a process begins


def _read(setting: Setting) -> Any:
    """The value; a folder that was removed, or a mix of old and new names for one flag, cannot be read."""
    try:
        return setting.read()
    except (OSError, RuntimeError):
        return UNREADABLE
