"""Collections that a user names: by their own name, or by a dataset that is made from them. Light."""

from collections.abc import Iterable

from mmbench.core.errors import MmbenchError, did_you_mean
from mmbench.data.fetch.collections import Table, collections
from mmbench.registry import installed


def resolve(names: Iterable[str], table: Table | None = None) -> list[str]:
    """Collections of these names and of the datasets of these names, each once, in that order.

    Raises:
        MmbenchError: for a name of neither, and for a dataset that needs no files.
    """
    table = collections() if table is None else table
    found: dict[str, None] = {}
    for name in names:
        found |= dict.fromkeys(_of(name, table))
    return list(found)


def _of(name: str, table: Table) -> list[str]:
    cards = installed().datasets
    own = [name] if name in table else []
    if name not in cards and not own:
        raise MmbenchError(f"there is no collection or dataset {name!r}; {did_you_mean(name, {*table, *cards})}")
    needed = [*own, *(cards[name].collections if name in cards else ())]
    if not needed:
        raise MmbenchError(f"dataset {name!r} needs no files: it is generated, or comes with a library")
    unknown = [collection for collection in needed if collection not in table]
    if unknown:
        raise MmbenchError(f"dataset {name!r} needs the collection {unknown[0]!r}, which cannot be fetched")
    return needed
