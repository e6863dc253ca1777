"""Devices: which CUDA devices the caller allows, and which worker gets which.

mmbench itself never starts CUDA: a process that has done so cannot fork workers that use it.
"""

import os
import subprocess
from collections.abc import Sequence
from importlib.metadata import version

from mmbench.core.errors import MmbenchError

VISIBLE = "CUDA_VISIBLE_DEVICES"
NONE = "-1"  # CUDA reads no device after this one


def allowed_devices() -> tuple[str, ...]:
    """Names of the CUDA devices that may be used: indices, UUIDs or MIG names, as CUDA reads them.

    These are the caller's ``CUDA_VISIBLE_DEVICES``, in that order; without it, all of the machine's.

    Raises:
        MmbenchError: if there is none, with what to do.
    """
    if version("torch").endswith("+cpu"):
        raise MmbenchError("--device cuda: the torch that is installed is built without CUDA; install one with it")
    visible = os.environ.get(VISIBLE)
    devices = _present() if visible is None else _visible(visible)
    if not devices:
        reason = "nvidia-smi finds no device" if visible is None else f"{VISIBLE}={visible!r} allows no device"
        raise MmbenchError(f"--device cuda: {reason}; allow one in {VISIBLE}, or use --device cpu")
    return devices


def _visible(text: str) -> tuple[str, ...]:
    names = [name.strip() for name in text.split(",")]
    ends = [names.index(end) for end in ("", NONE) if end in names]
    return tuple(dict.fromkeys(names[: min(ends, default=None)]))


def _present() -> tuple[str, ...]:
    """UUIDs of the machine's devices; none where there is no driver."""
    query = ["nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(line.strip() for line in done.stdout.splitlines() if line.strip())


class DevicePool:
    """Hands devices out, the least loaded first; several workers may share one that none wants for itself.

    Args:
        devices: names, as in ``CUDA_VISIBLE_DEVICES``.
    """

    def __init__(self, devices: Sequence[str]) -> None:
        self._loads = dict.fromkeys(devices, 0)
        self._reserved: set[str] = set()

    def has_room(self, exclusive: bool = False) -> bool:
        """Whether a device can be had, ``exclusive``: one that nobody uses."""
        return self._best(exclusive) is not None

    def take(self, exclusive: bool = False) -> str:
        """A device for one worker.

        Raises:
            MmbenchError: if none can be had.
        """
        device = self._best(exclusive)
        if device is None:
            raise MmbenchError("no device is free")
        self._loads[device] += 1
        if exclusive:
            self._reserved.add(device)
        return device

    def give_back(self, device: str | None) -> None:
        """A worker has ended that had this device; None if it had none."""
        if device is not None:
            self._loads[device] -= 1
            self._reserved.discard(device)

    def _best(self, exclusive: bool) -> str | None:
        free = [device for device in self._loads if device not in self._reserved]
        if exclusive:
            free = [device for device in free if not self._loads[device]]
        return min(free, key=self._loads.__getitem__, default=None)
