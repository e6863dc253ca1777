"""The table of collections, from ``collections.toml``. Light."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from mmbench.core.errors import MmbenchError, did_you_mean
from mmbench.data.fetch.origins import Archive, Collection, File, Made, github_archive, github_files, mirrored_files

Table = Mapping[str, Collection]


@cache
def collections() -> Table:
    """All collections by name."""
    text = files(__package__).joinpath("collections.toml").read_text(encoding="utf-8")
    return {name: _collection(name, entry) for name, entry in tomllib.loads(text).items()}


def find(name: str, table: Table | None = None) -> Collection:
    """A collection by its name.

    Raises:
        MmbenchError: if there is none of that name.
    """
    table = collections() if table is None else table
    if name not in table:
        raise MmbenchError(f"there is no collection {name!r}; {did_you_mean(name, table)}")
    return table[name]


def _collection(name: str, entry: dict[str, Any]) -> Collection:
    made = tuple(Made(file, content, published) for file, (content, published) in entry["files"].items())
    told = {key: entry[key] for key in ("summary", "licence", "source", "read_from")}
    origins = tuple(origin for download in entry["download"] for origin in _origins(download))
    return Collection(name, **told, origins=origins, convert=f"{__package__}.convert.{name}:convert", files=made)


def _origins(download: dict[str, Any]) -> tuple[File | Archive, ...]:
    wanted = {path: (digest, size) for path, (digest, size) in download.get("files", {}).items()}
    if "mirrors" in download:
        return mirrored_files(download["mirrors"], wanted)
    repository, commit = download["github"], download["commit"]
    if wanted:
        return github_files(repository, commit, wanted, download.get("keep", 0))
    known = {"tree": download["tree"], "count": download["count"], "size": download["bytes"]}
    return (github_archive(repository, commit, tuple(download["members"]), **known),)
