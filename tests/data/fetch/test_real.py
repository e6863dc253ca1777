"""The real files, where a machine has them: they are what the table says."""

import os

import pytest

from mmbench.data.fetch import verify
from mmbench.data.fetch.collections import collections, find
from mmbench.data.fetch.content import content_digest
from mmbench.data.locate import find_collection

pytestmark = pytest.mark.skipif(
    not os.environ.get("MMBENCH_DATA"), reason="MMBENCH_DATA names no folder with the real data"
)


@pytest.mark.parametrize("name", list(collections()))
def test_the_collection_is_whole(name):
    assert verify(name) == []


@pytest.mark.parametrize("name", list(collections()))
def test_its_content_is_known_without_the_published_bytes(name):
    folder = find_collection(name)
    assert {made.name: content_digest(folder / made.name) for made in find(name).files} == {
        made.name: made.content for made in find(name).files
    }
