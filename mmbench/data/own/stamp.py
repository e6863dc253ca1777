"""The stamp: what tells that a card or its files have changed since they were read. Light."""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from mmbench.data.own.card import OwnCard
from mmbench.data.own.inside import inside

# What mmbench itself and notes leave beside the data; a table counts where the card names it.
NOT_DATA = (".json", ".md", ".toml", ".npz", ".csv", ".parquet")


def stamp_of(own: OwnCard) -> str:
    """Hash of the card's text and of path, size and time of its tables and of the files that they may name.

    Raises:
        MmbenchError: for a table that is not there.
    """
    folder = own.folder.resolve()
    files = {inside(own.folder, file, f"table {file!r}") for file in own.splitting.files}
    files |= {path for path in walk(folder) if path.suffix.lower() not in NOT_DATA}
    return stamp(own.content, folder, files)


def stamp(content: bytes, folder: Path, files: set[Path]) -> str:
    """Hash of a card's text and of path, size and time of files below a folder."""
    found = []
    for path in sorted(files):
        with suppress(FileNotFoundError):  # what another process has just removed is no data
            state = path.stat()
            found.append([path.relative_to(folder).as_posix(), state.st_size, state.st_mtime_ns])
    return sha256(content + json.dumps(found).encode()).hexdigest()[:32]


def walk(folder: Path) -> Iterator[Path]:
    """All files below a folder but hidden ones."""
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(here) / name for name in files if not name.startswith(".") and (Path(here) / name).is_file())
