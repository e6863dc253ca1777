"""Where the files of the real datasets are: a folder that the user names, or what was fetched.

The files come in collections, one folder each (``mnist``, ``fsdd``, …); a dataset may need several.
A collection is looked for in ``$MMBENCH_DATA`` first, then in the cache, where ``mmbench data fetch``
puts it. Light.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from mmbench.core.errors import MmbenchError
from mmbench.data.cache import cache_root

DATA = "MMBENCH_DATA"


class MissingFilesError(MmbenchError):
    """The files that a dataset is made from are not on this machine."""


def find_collection(name: str) -> Path | None:
    """The folder of a collection; None if it is not on this machine."""
    given = os.environ.get(DATA)
    places = [*([Path(given) / name] if given else []), fetched(name)]
    return next((place for place in places if place.is_dir()), None)


def collection(name: str) -> Path:
    """The folder of a collection.

    Raises:
        MissingFilesError: if it is not on this machine.
    """
    found = find_collection(name)
    if found is None:
        raise MissingFilesError(missing([name]))
    return found


def fetched(name: str) -> Path:
    """Where a collection lies, or will, that was fetched."""
    return cache_root() / "collections" / name


def missing(collections: Sequence[str]) -> str:
    """Which of the collections are not on this machine, and what to do; empty if all are."""
    lacking = [name for name in collections if find_collection(name) is None]
    if not lacking:
        return ""
    given = os.environ.get(DATA)
    where = f"neither in {DATA}={given} nor fetched" if given else "not fetched"
    if given and not Path(given).is_dir():
        where = f"not fetched, and {DATA}={given} is no folder"
    return (
        f"the files of {', '.join(lacking)} are {where}: run `mmbench data fetch {' '.join(lacking)}`, "
        f"or set {DATA} to a folder that has them"
    )
