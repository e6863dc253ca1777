"""The most memory that was held for a while.

On a GPU it is what torch's allocator gave out (``torch.cuda.max_memory_allocated``), on a CPU the resident
memory of this process: with libraries, and with the pages of memory-mapped data that it has read.
"""

import resource
import sys
from pathlib import Path

import torch

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
KIB = 1024


class PeakMemory:
    """From the moment that it is made, the most memory that was held.

    The system keeps one high-water mark a process. Linux can lower it to what is held now (``5`` written to
    ``/proc/self/clear_refs``, then ``VmHWM`` of ``/proc/self/status``), which also moves it for whoever else
    reads it. Elsewhere (``getrusage``) it stays at the most that the process ever held; a later peak below
    it cannot be told.

    Args:
        device: of the computation, as torch names it.
    """

    def __init__(self, device: str | torch.device = "cpu") -> None:
        self.device = torch.device(device)
        self._before = 0
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        elif self.device.type == "cpu" and not lowered():
            self._before = high_water_mark()

    def bytes(self) -> int | None:
        """The peak so far; None if it is not known: an earlier one was higher, or the device keeps none."""
        if self.device.type == "cuda":
            return int(torch.cuda.max_memory_allocated(self.device))
        if self.device.type != "cpu":
            return None
        mark = high_water_mark()
        return mark if mark > self._before else None


def high_water_mark() -> int:
    """Bytes of resident memory, the most since the process began or since the mark was lowered."""
    try:
        lines = STATUS.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * KIB
    unit = 1 if sys.platform == "darwin" else KIB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def lowered() -> bool:
    """Whether the high-water mark is now at what is held."""
    try:
        CLEAR.write_text("5", encoding="ascii")
    except OSError:
        return False
    return True
