"""The guard: one small process a sweep, which ends what is left when mmbench ends, however it ends.

It waits for the end of a pipe whose other end mmbench alone holds. A worker that never comes back
from C code could not do that for itself.
"""

import contextlib
import os
import signal
from multiprocessing.connection import Connection

from mmbench.sweep.family import kill_marked


def main(lifeline: Connection, mark: str) -> None:
    """Entry of the guard's process.

    Args:
        lifeline: never written to; it ends when mmbench does.
        mark: of all that has to end then.
    """
    server = os.getppid()
    os.setsid()  # Ctrl-C in the terminal is not for the guard
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with contextlib.suppress(EOFError, OSError):
        lifeline.recv_bytes()
    kill_marked(mark, spared=(os.getpid(), server))  # the server ends itself, as it knows of mmbench's end too
