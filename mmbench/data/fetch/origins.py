"""What a collection is made from: files and archives on the web, and what shall come out. Light."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True)
class File:
    """One file.

    Attributes:
        path: that the converter finds it under.
        urls: that have it, tried in order.
        sha256, size: of its bytes.
    """

    path: str
    urls: tuple[str, ...]
    sha256: str
    size: int


@dataclass(frozen=True)
class Archive:
    """Files out of an archive, whose own bytes are not stable: what is wanted of it is known by a tree digest.

    Attributes:
        path: that it is downloaded to; ``.tar.gz`` or ``.zip``.
        urls: that have it, tried in order.
        members: patterns of the wanted paths, below the top folder; ``*`` stays within a folder.
        tree: see ``unpack.tree_digest``.
        count, size: wanted files, and their bytes together.
    """

    path: str
    urls: tuple[str, ...]
    members: tuple[str, ...]
    tree: str
    count: int
    size: int


@dataclass(frozen=True)
class Made:
    """A file of a collection.

    Attributes:
        name: in the collection's folder.
        content: see ``content.content_digest``.
        published: sha256 of a file with that content, which need not be decoded to be known; empty if none is.
    """

    name: str
    content: str
    published: str = ""


@dataclass(frozen=True)
class Collection:
    """A folder of files that datasets are made from.

    Attributes:
        name: of the folder.
        summary, licence, source: as their owners state them.
        read_from: where the raw files are had from.
        origins: the raw files.
        convert: ``"package.module:callable"`` of ``callable(raw, out)``, which writes the files.
        files: that stand in the folder.
    """

    name: str
    summary: str
    licence: str
    source: str
    read_from: str
    origins: tuple[File | Archive, ...]
    convert: str
    files: tuple[Made, ...]


def mirrored_files(mirrors: Sequence[str], files: Mapping[str, tuple[str, int]]) -> tuple[File, ...]:
    """Files that stand below any of the mirrors, given as {path: (sha256, size)}."""
    return tuple(
        File(path, tuple(f"{mirror}/{quote(path)}" for mirror in mirrors), digest, size)
        for path, (digest, size) in files.items()
    )


def github_files(repository: str, commit: str, files: Mapping[str, tuple[str, int]], keep: int = 0) -> tuple[File, ...]:
    """Some files of a commit, given as {path: (sha256, size)}. Of the paths the last ``keep`` parts stay; 0: all."""
    base = f"https://raw.githubusercontent.com/{repository}/{commit}"
    return tuple(
        File("/".join(path.split("/")[-keep:]), (f"{base}/{quote(path)}",), digest, size)
        for path, (digest, size) in files.items()
    )


def github_archive(
    repository: str, commit: str, members: tuple[str, ...], *, tree: str, count: int, size: int
) -> Archive:
    """Many files of a commit."""
    urls = (
        f"https://codeload.github.com/{repository}/tar.gz/{commit}",
        f"https://github.com/{repository}/archive/{commit}.tar.gz",
    )
    return Archive(f"{repository.rpartition('/')[2]}.tar.gz", urls, members, tree, count, size)
