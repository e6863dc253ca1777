"""Ctrl-C and SIGTERM: the first stops cleanly, the second at once."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

CODE = 130  # exit code of an interrupted command
SIGNALS = (signal.SIGINT, signal.SIGTERM)
SHOW_CURSOR = "\x1b[?25h"


class Interrupts:
    """While its context lasts, the first signal raises ``KeyboardInterrupt``. Every later one, also after
    the context, leaves the process where it stands.

    Args:
        leave: what has to be done even then; it waits for nothing.
    """

    def __init__(self, leave: Callable[[], None]) -> None:
        self.leave = leave
        self.taken = False

    def __enter__(self) -> Self:
        for number in SIGNALS:
            signal.signal(number, self._take)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.taken = True  # from here on there is nothing to stop cleanly

    def _take(self, number: int, frame: FrameType | None) -> None:
        if not self.taken:
            self.taken = True
            raise KeyboardInterrupt
        try:
            self.leave()
            if sys.stderr.isatty():
                with contextlib.suppress(OSError):
                    os.write(sys.stderr.fileno(), SHOW_CURSOR.encode())  # a live display may have hidden it
        finally:
            os._exit(CODE)
