"""The family of a worker: whatever it has started, found and ended wherever it went.

A worker leads a process group of its own, and every process of a sweep bears its mark in the
environment that it was started with. On Linux an orphan becomes the child of its nearest ancestor
that adopts orphans: of the worker while it lives, then of mmbench. Elsewhere, what has left the
group and lost its parent is found when mmbench ends, by its mark. What clears its environment, leaves
the group and loses its parent, all three, is not found.
"""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Container, Iterator
from pathlib import Path

import psutil

MARK = "MMBENCH_SWEEP"
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
PATIENCE = 3  # seconds for a killed process to end
ROUNDS = 50  # what still forks faster than it is killed is left
LINUX = sys.platform == "linux"


def adopt_orphans(yes: bool = True) -> None:
    """Whether orphaned descendants become children of this process. Linux alone."""
    _prctl(PR_SET_CHILD_SUBREAPER, int(yes))


def die_with_parent() -> None:
    """End this process when its parent ends, even if it never comes back from C code. Linux alone."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    if LINUX:
        ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))


def children(pid: int) -> list[int]:
    """Pids of a process's children; none if it has ended."""
    if _kernel_lists_children():  # much quicker than to look at every process there is
        return list(_listed_children(pid))
    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.Error:
        return []


def _kernel_lists_children() -> bool:
    return Path(f"/proc/self/task/{os.getpid()}/children").exists()


def _listed_children(pid: int) -> Iterator[int]:
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                yield from map(int, (thread / "children").read_text().split())


def descendants(pid: int) -> list[int]:
    """Pids of a process's children, their children, and so on."""
    found = children(pid)
    for child in found:
        found.extend(children(child))
    return found


def kill(leader: int) -> None:
    """Kill a worker and its group. On Linux the rest of its family is then an orphan of this process."""
    others = [] if LINUX else descendants(leader)  # before they lose their parent
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    for pid in (leader, *others):  # a worker that has only just begun leads no group yet
        _kill(pid)


def clear(leader: int, mark: str, spared: Container[int | None]) -> None:
    """Kill and reap what a worker has left that has ended.

    Args:
        leader: its pid, which may be another's by now.
        mark: of the sweep.
        spared: pids of children of this process that are no orphans.
    """
    for _ in range(ROUNDS):
        orphans = [pid for pid in _orphans(spared) if bears(pid, mark)]
        for pid in orphans:
            _kill(pid)
        processes = [psutil.Process(pid) for pid in orphans if psutil.pid_exists(pid)]
        if not processes or psutil.wait_procs(processes, timeout=PATIENCE)[1]:
            break  # none is left, or the system does not let them go
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    for pid in _orphans(spared):
        with contextlib.suppress(OSError):
            if os.getsid(pid) == leader:  # it has ended before
                os.waitpid(pid, os.WNOHANG)


def _orphans(spared: Container[int | None]) -> Iterator[int]:
    """Children of this process that it has not started: those are in its session."""
    session = os.getsid(0)
    for pid in children(os.getpid()):
        with contextlib.suppress(ProcessLookupError):
            if pid not in spared and os.getsid(pid) != session:
                yield pid


def kill_marked(mark: str, spared: Container[int | None]) -> None:
    """Kill whatever bears the mark, but for those that are spared."""
    for _ in range(ROUNDS):
        marked = [pid for pid in psutil.pids() if pid not in spared and bears(pid, mark)]
        if not marked:
            return
        for pid in marked:
            _kill(pid)


def bears(pid: int, mark: str) -> bool:
    """Whether a process that is no zombie was started with the mark in its environment."""
    try:
        return psutil.Process(pid).environ().get(MARK) == mark
    except (psutil.Error, OSError):
        return False


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
