"""Paths that a card or a table names: they stay inside the folders that hold the data."""

from collections.abc import Sequence
from pathlib import Path

from mmbench.core.errors import MmbenchError


def inside(folder: Path, name: str, what: str) -> Path:
    """The file of this name below a folder.

    Raises:
        MmbenchError: if it is not there, is hidden, or leaves the folder, by ``..`` or by a link.
    """
    if Path(name).is_absolute():
        raise MmbenchError(f"{what}: {name} is absolute; paths are relative to {folder}")
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise MmbenchError(f"{what}: {name} leaves the folder {folder}; copy the file into it")
    if any(part.startswith(".") and part != ".." for part in Path(name).parts):  # as the stamp leaves them out
        raise MmbenchError(f"{what}: {name} is hidden, so that changes of it would go unnoticed; rename it")
    if not path.is_file():
        raise MmbenchError(f"{what}: there is no file {name} in {folder}")
    return path


def read_in(roots: Sequence[Path], name: str, what: str) -> bytes:
    """The content of a file named by its full path, or relative to the first of the folders.

    Raises:
        MmbenchError: if it is not there, or in none of the folders.
    """
    path = (roots[0] / name).resolve()
    if not any(path.is_relative_to(root.resolve()) for root in roots):
        raise MmbenchError(f"{what}: {name} is outside the dataset's folder")
    if not path.is_file():
        raise MmbenchError(f"{what}: there is no file {name}")
    return path.read_bytes()
