"""Folders that appear under their name when they are whole, or not at all."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MAKING = ".making-"
LEFT_BEHIND = 24 * 3600.0  # seconds without a change, after which nobody is at work on a folder any more


@contextmanager
def whole(folder: Path) -> Iterator[Path]:
    """A new folder to fill, renamed to ``folder`` when the block ends well and removed when it does not.

    Several processes may make the same folder at once: the first one stays, and the others' are as
    good. What processes that were killed have left is removed.

    Raises:
        OSError: if the folder cannot be made.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    remove_unchanged(folder.parent, f"{MAKING}*", LEFT_BEHIND)
    making = Path(tempfile.mkdtemp(prefix=MAKING, dir=folder.parent))
    filled = making / "whole"  # a folder that others may read, as ``making`` is not
    filled.mkdir()
    try:
        yield filled
        try:
            filled.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster
                raise
    finally:
        shutil.rmtree(making, ignore_errors=True)


def remove_unchanged(parent: Path, pattern: str, seconds: float) -> None:
    """Remove the folders in ``parent`` in which nothing has changed for so long, where that is allowed."""
    for folder in parent.glob(pattern):
        with suppress(OSError):  # another process removes it too
            newest = max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
            if time.time() - newest > seconds:
                shutil.rmtree(folder, ignore_errors=True)
