"""Fetching: raw files from their public sources, converted once to the files that datasets are made from.

What is downloaded lies in ``<cache>/downloads`` until it has been converted, so that a broken run goes on
where it stopped; the files of a collection appear in ``<cache>/collections/<name>`` when all are there. Light.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib import import_module
from pathlib import Path

from filelock import FileLock, Timeout

from mmbench.core.errors import MmbenchError
from mmbench.data.cache import cache_root
from mmbench.data.fetch.collections import Table, find
from mmbench.data.fetch.content import content_digest, file_digest
from mmbench.data.fetch.download import PATIENCE, Patience, Wanted, download
from mmbench.data.fetch.origins import Archive, Collection, Made
from mmbench.data.fetch.progress import QUIET, Progress
from mmbench.data.fetch.unpack import ArchiveError, unpack
from mmbench.data.locate import DATA, collection, fetched, find_collection
from mmbench.data.whole import whole


def fetch(name: str, progress: Progress = QUIET, table: Table | None = None, patience: Patience = PATIENCE) -> Path:
    """The folder of a collection: what is there already, or else downloaded and converted, whole or not at all.

    Raises:
        MmbenchError: if there is no such collection, its files cannot be had or are not the known ones, or what
            ``$MMBENCH_DATA`` has of it is damaged (what was fetched and is damaged is fetched anew).
    """
    wanted = find(name, table)
    try:
        with _alone(name, progress):
            return _present(wanted, progress) or _made(wanted, progress, patience)
    except OSError as error:
        raise MmbenchError(f"{name}: {error}") from error


def verify(name: str, table: Table | None = None) -> list[str]:
    """What is wrong with the files of a collection, wherever they are; empty if nothing is.

    Raises:
        MissingFilesError: if it is not on this machine.
        MmbenchError: if there is no such collection.
    """
    wanted = find(name, table)
    return _problems(wanted, collection(name))


def _present(wanted: Collection, progress: Progress) -> Path | None:
    folder = find_collection(wanted.name)
    if folder is None:
        return None
    problems = _problems(wanted, folder)
    if not problems:
        progress.say(f"{wanted.name}: already there, and whole: {folder}")
        return folder
    if folder != fetched(wanted.name):
        raise MmbenchError(
            f"{folder} is damaged ({'; '.join(problems)}): mend or remove it, or unset {DATA}, to have it fetched"
        )
    progress.say(f"{wanted.name}: {folder} is damaged ({'; '.join(problems)}); fetching it anew")
    return None


def _made(wanted: Collection, progress: Progress, patience: Patience) -> Path:
    origins = sha256(repr(wanted.origins).encode()).hexdigest()[:12]  # nothing of another version is taken up
    downloads = cache_root() / "downloads" / f"{wanted.name}-{origins}"
    folder, raw = fetched(wanted.name), downloads / "raw"
    try:
        _gather(wanted, downloads / "files", raw, progress, patience)
        progress.say(f"{wanted.name}: converting")
        with whole(folder) as making:
            _convert(wanted, raw, making)
            if folder.is_dir():  # it is damaged
                shutil.rmtree(folder)
    finally:
        shutil.rmtree(raw, ignore_errors=True)
    for old in downloads.parent.glob(f"{wanted.name}-{'[0-9a-f]' * len(origins)}"):  # of other versions too
        shutil.rmtree(old)
    return folder


def _convert(wanted: Collection, raw: Path, making: Path) -> None:
    module, _, convert = wanted.convert.partition(":")
    try:
        getattr(import_module(module), convert)(raw, making)
    except ImportError as error:
        raise MmbenchError(f"{wanted.name}: to convert it needs {error.name}, which is not installed") from None
    problems = _problems(wanted, making)
    if problems:
        told = "; ".join(problems)
        raise MmbenchError(f"{wanted.name}: what the conversion gave on this machine is not the known data: {told}")


def _gather(wanted: Collection, files: Path, raw: Path, progress: Progress, patience: Patience) -> None:
    """Download all that a collection is made from, and lay the raw files out in a new folder."""
    for origin in wanted.origins:
        place = files / origin.path
        if isinstance(origin, Archive):
            download(Wanted(origin.urls, place), progress, patience)
        else:
            download(Wanted(origin.urls, place, origin.sha256, origin.size), progress, patience)
    shutil.rmtree(raw, ignore_errors=True)
    raw.mkdir()
    for origin in wanted.origins:
        if isinstance(origin, Archive):
            progress.say(f"{wanted.name}: unpacking {origin.path}")
            try:
                unpack(files / origin.path, raw, origin)
            except ArchiveError as error:
                (files / origin.path).unlink()  # nothing tells whether it was damaged on its way
                raise ArchiveError(f"{error}; it was removed, and the next run downloads it anew") from None
        else:
            (raw / origin.path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(files / origin.path, raw / origin.path)


def _problems(wanted: Collection, folder: Path) -> list[str]:
    return [problem for made in wanted.files if (problem := _problem(made, folder / made.name))]


def _problem(made: Made, path: Path) -> str:
    """What is wrong with a file; empty if nothing is. It is decoded only where its bytes are not the published ones."""
    try:
        if not path.is_file():
            return f"{made.name} is missing"
        if made.published and file_digest(path) == made.published:
            return ""
        found = content_digest(path)
    except (OSError, MmbenchError) as error:
        return f"{made.name}: {error}"
    return "" if found == made.content else f"{made.name} holds other content: expected {made.content}, got {found}"


@contextmanager
def _alone(name: str, progress: Progress) -> Iterator[None]:
    """No two processes fetch the same collection at once."""
    folder = cache_root() / "downloads"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{name}.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        progress.say(f"{name}: waiting for another process that fetches it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
