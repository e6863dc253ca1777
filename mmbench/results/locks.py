"""Locks: what several sweeps over one folder of results must not do at once, one of them does.

A lock is a file below ``<out>/.locks``, locked with ``flock``: the system lets it go when its holder
ends, however that happens, so a lock is never stale. The empty files stay: to remove one while
another process waits for it would let two hold it.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from mmbench.core.errors import MmbenchError
from mmbench.results.store import Place, UnwritableError

FOLDER = ".locks"


def of_batch(place: Place) -> FileLock:
    """For all cells of one method on one dataset; for a trial, for that alone."""
    folder = place.folder.relative_to(place.out)
    return _lock(place.out, folder.with_name(f"{folder.name}.lock"))


def of_analysis(folder: Path) -> FileLock:
    """For the analysis of one dataset under one protocol, ``<out>/<protocol>/<dataset>``."""
    return _lock(folder.parents[1], Path(folder.parent.name, f"{folder.name}.lock"))


def try_lock(lock: FileLock) -> bool:
    """Take a lock unless somebody holds it. Whether it was taken.

    Raises:
        MmbenchError: if nothing can be locked there.
    """
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    except NotImplementedError:
        raise MmbenchError(f"{lock.lock_file} cannot be locked; choose an --out on a file system with locks") from None
    except OSError as error:
        raise UnwritableError.of(Path(lock.lock_file).parent, error) from None
    return True


@contextlib.contextmanager
def held(lock: FileLock) -> Iterator[None]:
    """Wait for a lock, and hold it.

    Raises:
        UnwritableError: if nothing can be locked there.
    """
    try:
        lock.acquire()
    except OSError as error:
        raise UnwritableError.of(Path(lock.lock_file).parent, error) from None
    try:
        yield
    finally:
        lock.release()


def _lock(out: Path, name: Path) -> FileLock:
    root = out / FOLDER
    path = root / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        ignore = root / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError as error:
        raise UnwritableError.of(root, error) from None
    return FileLock(path)
