"""What became of a worker that did not come to its end, in words that say what to do about it."""

import signal

from mmbench.results.schema import Outcome
from mmbench.sweep.local import Gone
from mmbench.sweep.memory import in_words
from mmbench.sweep.worker import OutOfMemory


def fate(gone: Gone, timeout: float | None = None, memory: int | None = None) -> str:
    """One line.

    Args:
        gone: the end of the worker.
        timeout, memory: the limits that were set.
    """
    if gone.stopped == "time":
        return f"the worker was stopped at the time limit of {timeout:g} s (--timeout)"
    if gone.stopped == "memory":
        held, allowed = in_words(gone.held), in_words(memory or 0)
        return f"out of memory: the worker used {held} of the {allowed} that --memory allows"
    if gone.exit_code == -signal.SIGKILL:
        return "the worker was killed by signal 9 (SIGKILL); if nobody did that, the system ran out of memory"
    if gone.exit_code < 0:
        return f"the worker was killed by signal {-gone.exit_code} ({_name(-gone.exit_code)})"
    return f"the worker left with exit code {gone.exit_code} before it was done"


def death(gone: Gone, report: OutOfMemory | None, memory: int | None) -> Outcome:
    """Of the cells that a worker died of; its own report of it, if it could make one, says more."""
    if report is not None:
        return Outcome(status="killed", message=report.message, traceback=report.traceback)
    return Outcome(status="killed", message=fate(gone, memory=memory))


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
