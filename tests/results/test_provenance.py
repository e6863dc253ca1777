"""Where a result comes from: hashes of the source that scores depend on, and of nothing else."""

import importlib
import shutil
import sys
from datetime import datetime, timedelta

import pytest

from mmbench.core.errors import MmbenchError
from mmbench.results import provenance
from mmbench.results.provenance import core_source, folder_source, git_state, hardware, libraries, now, plugin_source


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of mmbench's source that the hashes are taken of; ``package()`` hashes it anew."""
    copy = tmp_path / "checkout" / "mmbench"
    shutil.copytree(provenance.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(provenance, "PACKAGE", copy)

    def hashed():
        core_source.cache_clear()
        return core_source()

    yield copy, hashed
    core_source.cache_clear()
    git_state.cache_clear()


def test_the_same_source_has_the_same_hash_wherever_it_is(package):
    copy, hashed = package
    there = hashed()
    shutil.move(copy, copy.with_name("elsewhere"))
    provenance.PACKAGE = copy.with_name("elsewhere")
    assert hashed() == there
    assert len(there) == 32


SCORING = ["core/task.py", "nn/encoders.py", "nn/heads.py", "train/loop.py", "train/streams.py",
           "measures/task.py", "data/columns.py", "data/splits.py", "data/standardised.py",
           "sweep/cell.py", "sweep/scoring.py"]  # fmt: skip
OTHERS = ["cli/__init__.py", "results/store.py", "boards/__init__.py", "sweep/local.py", "data/cache.py", "registry.py"]


@pytest.mark.parametrize("file", SCORING)
def test_a_change_where_scores_are_made_changes_the_hash(package, file):
    copy, hashed = package
    before = hashed()
    with (copy / file).open("a") as source:
        source.write("\n# changed\n")
    assert hashed() != before


@pytest.mark.parametrize("file", OTHERS)
def test_a_change_elsewhere_does_not(package, file):
    copy, hashed = package
    before = hashed()
    with (copy / file).open("a") as source:
        source.write("\n# changed\n")
    (copy / "nn" / "notes.txt").write_text("no source")
    (copy / "nn" / "__pycache__").mkdir()
    (copy / "nn" / "__pycache__" / "heads.cpython-311.pyc").write_bytes(b"x")
    assert hashed() == before


def test_a_file_that_comes_goes_or_is_renamed_changes_the_hash(package):
    copy, hashed = package
    seen = [hashed()]
    (copy / "nn" / "more.py").write_text("x = 1\n")
    seen.append(hashed())
    (copy / "nn" / "more.py").rename(copy / "nn" / "other.py")
    seen.append(hashed())
    (copy / "nn" / "other.py").rename(copy / "train" / "other.py")
    seen.append(hashed())
    assert len(set(seen)) == 4
    (copy / "train" / "other.py").unlink()
    assert hashed() == seen[0]


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    folder = tmp_path / "site" / "plugin_with_source"
    (folder / "inner").mkdir(parents=True)
    for name in ("__init__.py", "model.py", "inner/__init__.py", "inner/deep.py"):
        (folder / name).write_text("x = 1\n")
    (folder.parent / "single_file_plugin.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(folder.parent)
    importlib.invalidate_caches()

    def hashed(build):
        plugin_source.cache_clear()
        return plugin_source(build)

    yield folder, hashed
    for name in list(sys.modules):
        if name.startswith("plugin_with_source"):
            del sys.modules[name]
    plugin_source.cache_clear()


def test_all_source_of_a_plugin_counts(plugin):
    folder, hashed = plugin
    before = hashed("plugin_with_source.model:build")
    assert hashed("plugin_with_source.inner.deep:other") == before
    (folder / "inner" / "deep.py").write_text("x = 2\n")
    assert hashed("plugin_with_source.model:build") != before


def test_a_plugin_of_one_file_is_that_file(plugin):
    folder, hashed = plugin
    before = hashed("single_file_plugin:build")
    (folder.parent / "somebody_elses.py").write_text("x = 1\n")
    assert hashed("single_file_plugin:build") == before
    (folder.parent / "single_file_plugin.py").write_text("x = 2\n")
    assert hashed("single_file_plugin:build") != before


def test_a_builder_of_data_is_its_module_and_the_neighbours(plugin):
    folder, _ = plugin
    before = folder_source("plugin_with_source.model")
    (folder / "inner" / "deep.py").write_text("x = 3\n")
    assert folder_source("plugin_with_source.model") == before
    (folder / "__init__.py").write_text("x = 3\n")
    assert folder_source("plugin_with_source.model") != before


def test_a_package_that_is_not_there_is_told():
    with pytest.raises(MmbenchError, match="there is no package 'nobody_has_this'; is its plugin installed"):
        plugin_source("nobody_has_this.model:build")
    with pytest.raises(MmbenchError, match="there is no module 'nobody_has_this'; is its plugin installed"):
        folder_source("nobody_has_this")


def test_the_machine_and_the_libraries_are_stated():
    assert {"python", "torch", "numpy", "scikit-learn"} <= set(libraries())
    assert all(libraries().values())
    assert hardware()["machine"]
    assert hardware()["cores"] >= 1


def test_the_time_is_utc():
    moment = datetime.fromisoformat(now())
    assert moment.utcoffset() == timedelta(0)
    assert moment.microsecond == 0


def test_outside_of_a_checkout_there_is_no_commit(package):
    git_state.cache_clear()
    assert git_state() == ("", None)
