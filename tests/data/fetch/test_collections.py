"""The table of collections holds together."""

import re
from importlib import import_module

import pytest

from mmbench.core.errors import MmbenchError
from mmbench.data.fetch.collections import collections, find
from mmbench.data.fetch.names import resolve
from mmbench.data.fetch.origins import Archive
from mmbench.registry import installed

TEN = ["mnist", "fsdd", "esc50_noise", "hapt", "handwritten", "mosi", "wikipedia", "utd_mhad", "houses", "rosmap"]
SHA256 = re.compile(r"[0-9a-f]{64}")


def test_there_are_ten():
    assert sorted(collections()) == sorted(TEN)


@pytest.mark.parametrize("name", TEN)
def test_every_collection_says_all_that_is_needed(name):
    known = find(name)
    assert all((known.summary, known.licence, known.source, known.read_from, known.files))
    module, _, convert = known.convert.partition(":")
    assert callable(getattr(import_module(module), convert))
    for made in known.files:
        assert SHA256.fullmatch(made.content)
        assert SHA256.fullmatch(made.published)
    for origin in known.origins:
        assert SHA256.fullmatch(origin.tree if isinstance(origin, Archive) else origin.sha256)
        assert origin.size > 0
        assert all(url.startswith("https://") and " " not in url for url in origin.urls)
    assert len({origin.path for origin in known.origins}) == len(known.origins)


def test_what_is_read_from_github_is_read_from_one_commit():
    urls = [url for known in collections().values() for origin in known.origins for url in origin.urls]
    assert all(re.search(r"/[0-9a-f]{40}\b", url) for url in urls if "github" in url)


def test_datasets_stand_for_their_collections():
    cards = [card for card in installed().datasets.values() if card.collections]
    for card in cards:
        assert set(card.collections) <= set(resolve([card.name]))
    assert resolve(["mnist", "fsdd", "mnist"])[:2] == ["mnist", "fsdd"]


def test_unknown_names_are_told():
    with pytest.raises(MmbenchError, match=r"no collection or dataset 'mnits'; did you mean .*mnist"):
        resolve(["mnits"])


def test_datasets_without_files_are_told():
    generated = next(card.name for card in installed().datasets.values() if not card.collections)
    with pytest.raises(MmbenchError, match="needs no files"):
        resolve([generated])
