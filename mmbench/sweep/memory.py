"""Memory: sizes as people write them, and how much of it a worker and its descendants hold."""

import contextlib
import re
from collections.abc import Callable, Sequence

import psutil

from mmbench.core.errors import MmbenchError
from mmbench.sweep.family import descendants

UNITS = {"": 2**30, **{f"{p}ib": 2 ** (10 * (i + 1)) for i, p in enumerate("kmgt")}}
UNITS.update({"b": 1, **{f"{p}b": 1000 ** (i + 1) for i, p in enumerate("kmgt")}})
SIZE = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*([a-z]*)", re.IGNORECASE)


def read_size(text: str) -> int:
    """Bytes of ``2GiB``, ``500MB`` or ``4`` (GiB).

    Raises:
        MmbenchError: if it is no size, or none that a worker could live with.
    """
    match = SIZE.fullmatch(text.strip())
    if match is None or match[2].lower() not in UNITS:
        raise MmbenchError(f"{text!r} is no size; write 2GiB, 500MB, or 4 for 4 GiB")
    size = int(float(match[1]) * UNITS[match[2].lower()])
    if size < 2**20:
        raise MmbenchError(f"{text!r} is less than 1 MiB, which no worker can live with; a plain number means GiB")
    return size


def in_words(size: int) -> str:
    """``1.3 GiB``, or MiB below one."""
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


class Meter:
    """How much memory a worker and its descendants hold, beyond what the worker was born with.

    Counted is anonymous memory: what they have written themselves, and neither libraries and
    memory-mapped data, nor shared memory.

    Args:
        worker: its pid.
        limit: bytes.
    """

    def __init__(self, worker: int, limit: int) -> None:
        self.worker, self.limit = worker, limit
        self._server = 0

    def excess(self) -> int | None:
        """Bytes that they hold, if these are more than the limit; None if not, or if the worker has ended."""
        try:
            self._server = self._server or psutil.Process(self.worker).ppid()
            born = _anonymous(self._server)
            family = [self.worker, *descendants(self.worker)]
            held = _sum(_anonymous, family, born)
            if held > self.limit and len(family) > 1:  # pages that they share since a fork were counted for each
                held = min(held, _sum(_proportional, family, _proportional(self._server)))
        except psutil.Error:
            return None
        return held if held > self.limit else None


def _sum(measure: Callable[[int], int], pids: Sequence[int], born: int) -> int:
    """Of those that are still there, each less what it was forked with."""
    total = 0
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            total += max(0, measure(pid) - born)
    return total


def _anonymous(pid: int) -> int:
    memory = psutil.Process(pid).memory_info()
    return int(memory.rss) - int(getattr(memory, "shared", 0))


def _proportional(pid: int) -> int:
    """With shared pages divided among those who share them. Takes some ten milliseconds."""
    memory = psutil.Process(pid).memory_full_info()
    return int(getattr(memory, "pss", memory.uss))
