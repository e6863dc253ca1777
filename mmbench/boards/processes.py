"""Work side by side in processes that end when this one does, however it ends."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from mmbench.signals import without_interrupts

Item = TypeVar("Item")


def side_by_side(work: Callable[[Item], object], items: Sequence[Item], jobs: int) -> None:
    """Do ``work`` for every item in up to ``jobs`` processes. An error, or Ctrl-C, ends all of them.

    Raises:
        Exception: what ``work`` raised for one of them.
    """
    context = multiprocessing.get_context("spawn")
    before = set(multiprocessing.active_children())
    with ProcessPoolExecutor(min(jobs, len(items)), mp_context=context, initializer=_begin) as pool:
        try:
            with without_interrupts():  # inherited: Ctrl-C in the terminal is for this process alone
                pending = [pool.submit(work, item) for item in items]
            for future in pending:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in set(multiprocessing.active_children()) - before:
                process.kill()
            raise


def _begin() -> None:
    """A process of the pool would wait for work for ever if its parent were killed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
