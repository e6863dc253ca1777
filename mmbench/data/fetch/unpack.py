"""Wanted files out of an archive that nobody vouches for: nothing else is written, and nothing outside the folder."""

import contextlib
import tarfile
import zipfile
import zlib
from collections.abc import Generator, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from stat import S_ISLNK
from typing import IO

from mmbench.core.errors import MmbenchError
from mmbench.data.fetch.origins import Archive

CHUNK = 2**20
ENTRIES = 200_000  # that an archive may list, wanted or not
TOTAL = 8 * 2**30  # bytes that an archive may unpack to, wanted or not: it is read through to the end


class ArchiveError(MmbenchError):
    """An archive is damaged, or holds what no archive should."""


def tree_digest(files: Mapping[str, str]) -> str:
    """sha256 over the sorted lines ``<sha256>  <path>`` of files, given as {path: sha256}."""
    return sha256("".join(sorted(f"{digest}  {path}\n" for path, digest in files.items())).encode()).hexdigest()


def unpack(path: Path, into: Path, wanted: Archive) -> None:
    """Write the wanted members below ``into``, without the archive's top folder, and compare their tree digest.

    Raises:
        ArchiveError: for a damaged archive, a path that leads out of it, wanted links or devices, more files or
            bytes than the table of collections says, or another tree digest.
    """
    written: dict[str, str] = {}
    room = wanted.size
    try:
        with contextlib.closing(_entries(path)) as entries:
            for name, opened in entries:
                if not _matches(name, wanted.members):
                    continue
                if opened is None:
                    raise ArchiveError(f"{path.name}: {name} is no plain file")
                if name in written:
                    raise ArchiveError(f"{path.name}: {name} is in it twice")
                if len(written) == wanted.count:
                    raise ArchiveError(f"{path.name}: it has more than the {wanted.count} files that are known")
                written[name], size = _write(opened, into / name, room, path.name)
                room -= size
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise ArchiveError(f"{path.name} is damaged: {error}") from None
    found = tree_digest(written)
    if found != wanted.tree:
        raise ArchiveError(
            f"{path.name}: it holds other files than are known: expected {wanted.count} files with tree digest "
            f"{wanted.tree}, got {len(written)} with {found}"
        )


Entry = tuple[str, IO[bytes] | None]


def _entries(path: Path) -> Generator[Entry, None, None]:
    """Names below the top folder, and plain files opened; None for links, devices and folders."""
    entries = _zip(path) if path.name.endswith(".zip") else _tar(path)
    left = TOTAL
    for number, (name, size, opened) in enumerate(entries):
        left -= size
        if number >= ENTRIES or left < 0:
            raise ArchiveError(f"{path.name}: it unpacks to more than {TOTAL} bytes or {ENTRIES} entries")
        below = _below_top(name, path.name)
        if below:
            yield below, opened


def _tar(path: Path) -> Iterator[tuple[str, int, IO[bytes] | None]]:
    with tarfile.open(path, "r|gz") as archive:
        for member in archive:
            yield member.name, member.size, archive.extractfile(member) if member.isreg() else None


def _zip(path: Path) -> Iterator[tuple[str, int, IO[bytes] | None]]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            plain = not member.is_dir() and not S_ISLNK(member.external_attr >> 16)
            if not plain:
                yield member.filename, member.file_size, None
                continue
            with archive.open(member) as opened:
                yield member.filename, member.file_size, opened


def _below_top(name: str, archive: str) -> str:
    """The path without its first part; empty for the top folder itself."""
    parts = name.rstrip("/").split("/")
    if any(part in ("", ".", "..") or "\\" in part or ":" in part or "\0" in part for part in parts):
        raise ArchiveError(f"{archive}: the path {name!r} may lead out of it")
    return "/".join(parts[1:])


def _matches(name: str, patterns: Iterable[str]) -> bool:
    parts = name.split("/")
    return any(
        len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))
        for wanted in (pattern.split("/") for pattern in patterns)
    )


def _write(source: IO[bytes], target: Path, room: int, archive: str) -> tuple[str, int]:
    """Digest and size of what was written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = sha256(), 0
    with target.open("xb") as opened:
        while chunk := source.read(CHUNK):
            size += len(chunk)
            if size > room:
                raise ArchiveError(f"{archive}: it unpacks to more bytes than are known, at {target.name}")
            digest.update(chunk)
            opened.write(chunk)
    return digest.hexdigest(), size
