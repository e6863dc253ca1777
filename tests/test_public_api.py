"""The public names stand three times (for type checkers, for the lazy table, for ``import *``): here they agree."""

import ast
from importlib import import_module, metadata
from pathlib import Path

import pytest

import mmbench

SOURCE = ast.parse(Path(mmbench.__file__).read_text())


def typed() -> dict[str, str]:
    """{name: module} of the imports that type checkers see."""
    (block,) = [node for node in SOURCE.body if isinstance(node, ast.If)]
    return {alias.asname or alias.name: node.module for node in block.body for alias in node.names}


def test_every_list_of_the_public_names_is_the_same():
    lazy = {name: home for home, names in mmbench._HOMES.items() for name in names}
    assert typed() == lazy
    assert sorted(mmbench.__all__) == sorted(lazy)
    assert len(set(mmbench.__all__)) == len(mmbench.__all__)


@pytest.mark.parametrize("name", mmbench.__all__)
def test_every_public_name_is_there(name):
    assert getattr(mmbench, name) is getattr(import_module(typed()[name]), name)


def test_the_names_can_be_listed():
    assert {*mmbench.__all__, "__version__"} <= set(dir(mmbench))


def test_a_name_that_is_not_there_fails_as_in_any_module():
    with pytest.raises(AttributeError, match="module 'mmbench' has no attribute 'FussionModel'"):
        _ = mmbench.FussionModel
    assert not hasattr(mmbench, "loop")


def test_the_version_is_that_of_the_distribution():
    assert mmbench.__version__ == metadata.version("mmbench")
