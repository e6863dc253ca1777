"""The cache: made once, whole or not at all, and known by content."""

import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pytest

from mmbench.core.errors import MmbenchError
from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.data.cache import cache_root, find, fingerprint, prepare
from mmbench.data.source import SPLITS, Source, table


@pytest.fixture
def parts(toy):
    """{split: columns}."""
    return {name: toy.columns(rows, seed) for seed, (name, rows) in enumerate(zip(SPLITS, (20, 8, 9), strict=True))}


@pytest.fixture
def laid(workshop, toy, parts):
    """The dataset laid down for the builder; its card."""

    def source(scale):
        scaled = {name: {**columns, "left": columns["left"] * np.float32(scale)} for name, columns in parts.items()}
        return Source(toy.task, as_splits(toy.task, scaled), ceiling=0.75)

    workshop.LAID["plain"] = source
    return toy.card()


def as_splits(task, parts):
    return datasets.DatasetDict({name: table(task, columns) for name, columns in parts.items()})


def test_the_cache_is_where_the_user_says(monkeypatch, tmp_path):
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path / "here"))
    assert cache_root() == tmp_path / "here"
    monkeypatch.delenv("MMBENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_root() == tmp_path / "xdg" / "mmbench"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_root() == Path.home() / ".cache" / "mmbench"


def test_a_dataset_is_made_once(cache, laid, workshop):
    assert find(laid, {}) is None
    first = prepare(laid, {})
    assert prepare(laid, {}) == first == find(laid, {})
    assert workshop.MADE == ["plain"]
    assert first.task == laid.task
    assert first.sizes == {"train": 20, "validation": 8, "test": 9}
    assert first.ceiling == 0.75
    assert first.missing is False
    assert first.folder.is_relative_to(cache)
    assert [path.name for path in first.folder.parent.iterdir()] == [first.folder.name]


def test_other_parameters_presets_and_versions_are_other_datasets(cache, laid, workshop):
    plain, scaled = prepare(laid, {}), prepare(laid, {"scale": 2.0})
    assert plain.folder != scaled.folder
    assert plain.fingerprint != scaled.fingerprint
    preset = prepare(replace(laid, preset={"scale": 2.0}), {})
    assert preset.fingerprint == scaled.fingerprint
    newer = prepare(replace(laid, version="2"), {})
    assert newer.folder != plain.folder
    assert newer.fingerprint == plain.fingerprint, "the fingerprint is of the content alone"
    assert len(workshop.MADE) == 4


def test_a_change_of_the_builders_source_makes_it_anew(cache, laid, workshop):
    before = prepare(laid, {})
    with Path(workshop.__file__).open("a") as file:
        file.write("# changed\n")
    assert find(laid, {}) is None
    after = prepare(laid, {})
    assert after.folder != before.folder
    assert after.fingerprint == before.fingerprint


def test_what_lies_beside_a_module_that_is_in_no_package_does_not_matter(cache, laid, workshop):
    """It may be all of ``site-packages``."""
    prepare(laid, {})
    Path(workshop.__file__).with_name("somebody_elses.py").write_text("1")
    assert find(laid, {}) is not None


def test_missing_modalities_are_known(cache, laid, workshop, toy, parts):
    parts["test"]["present"] = np.arange(18).reshape(9, 2) % 2 == 0
    assert prepare(laid, {}).missing is True


@pytest.mark.parametrize("change", [{"kind": "regression", "outputs": 1}, {"modalities": ()}])
def test_a_builder_that_contradicts_its_card_is_told(cache, laid, toy, change):
    modalities = change.pop("modalities", None)
    change = change if modalities is None else {"modalities": toy.task.modalities[:1]}
    card = replace(laid, task=replace(toy.task, metric="", **change))
    with pytest.raises(MmbenchError, match=r"dataset 'toy': its builder gives .*, its card says"):
        prepare(card, {})
    assert not list(cache.glob("datasets/*"))


def test_a_builder_that_raises_leaves_nothing_behind(cache, laid, workshop):
    def broken(scale):
        raise RuntimeError("the disk is on fire")

    workshop.LAID["plain"] = broken
    with pytest.raises(RuntimeError, match="on fire"):
        prepare(laid, {})
    assert not list(cache.glob("datasets/*"))
    assert find(laid, {}) is None


def test_a_write_that_fails_leaves_nothing_behind(cache, laid, workshop, monkeypatch):
    def full(self, folder):
        Path(folder).mkdir(parents=True)
        (Path(folder) / "half").write_text("of it")
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(datasets.DatasetDict, "save_to_disk", full)
        with pytest.raises(OSError, match="no space left"):
            prepare(laid, {})
    assert not list(cache.glob("datasets/*"))
    assert prepare(laid, {}).sizes["train"] == 20


@pytest.mark.parametrize("damage", ["", "{", "null", "{}", '{"task": {}}', "[1]"])
def test_a_damaged_entry_is_told_with_what_to_do(cache, laid, damage):
    folder = prepare(laid, {}).folder
    (folder / "prepared.json").write_text(damage)
    with pytest.raises(MmbenchError, match=r"prepared\.json is damaged; delete that folder") as caught:
        find(laid, {})
    assert str(folder) in str(caught.value)


def test_what_is_kept_can_be_read_by_others(cache, laid):
    """A cache on a shared disk: the folder has the mode that the user's umask gives, no less."""
    before = os.umask(0o022)
    try:
        folder = prepare(laid, {}).folder
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


TWO = """
import sys, time
from pathlib import Path
import datasets, numpy as np
from mmbench.core.cards import DatasetCard
from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.data.source import Source, table

task = Task("classification", 2, (Modality("x", "vector", (2,)),))
card = DatasetCard("both", "", "two_at_once:build", task)

def build():
    folder = Path(sys.argv[1])
    (folder / sys.argv[2]).touch()
    while len(list(folder.iterdir())) < 2:  # until the other one builds too
        time.sleep(0.01)
    columns = {"x": np.arange(20, dtype=np.float32).reshape(10, 2), "target": np.arange(10) % 2}
    return Source(task, datasets.DatasetDict({name: table(task, columns) for name in ("train", "validation", "test")}))
"""


def test_two_processes_may_make_the_same_dataset_at_once(cache, tmp_path):
    (tmp_path / "two_at_once.py").write_text(TWO)
    (tmp_path / "here").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    run = "from two_at_once import card\nfrom mmbench.data.cache import prepare\nprint(prepare(card, {}).fingerprint)"
    words = [sys.executable, "-c", run, str(tmp_path / "here")]
    both = [
        subprocess.Popen([*words, name], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for name in "ab"
    ]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert said[0][0] == said[1][0]
    assert len(said[0][0].strip()) == 64
    (only,) = (cache / "datasets").iterdir()
    assert json.loads((only / "prepared.json").read_text())["sizes"]["train"] == 10


# The fingerprint.


def test_a_fingerprint_is_of_the_content_whatever_its_chunks(toy, parts):
    whole = as_splits(toy.task, parts)
    chunked = datasets.DatasetDict(
        {
            name: datasets.concatenate_datasets(
                [table(toy.task, {key: column[i : i + 3] for key, column in columns.items()}) for i in range(0, 20, 3)]
            )
            if name == "train"
            else whole[name]
            for name, columns in parts.items()
        }
    )
    assert chunked["train"].data.column("left").num_chunks > 1
    assert fingerprint(chunked) == fingerprint(whole) == fingerprint(as_splits(toy.task, parts))
    assert len(fingerprint(whole)) == 64


@pytest.mark.parametrize("size", [1, 25])
def test_a_fingerprint_does_not_depend_on_the_blocks_in_which_it_is_read(toy, parts, monkeypatch, size):
    whole = as_splits(toy.task, parts)
    wanted = fingerprint(whole)
    monkeypatch.setattr("mmbench.data.columns.BLOCK", size)
    assert fingerprint(whole) == wanted


def test_a_fingerprint_stays_what_it_was(toy):
    """It stands in the results: the same data must never get another one."""
    columns = {
        "left": np.arange(12, dtype=np.float32).reshape(3, 4),
        "right": np.arange(30, dtype=np.float32).reshape(3, 5, 2),
        "target": np.arange(3),
        "present": np.array([[True, False], [True, True], [False, True]]),
    }
    found = fingerprint(as_splits(toy.task, dict.fromkeys(SPLITS, columns)))
    assert found == "0143ae8968698cf836381697fa62839b97affec3b2dd7e587cd5889d83504f0f"


def test_a_fingerprint_survives_the_disk(toy, parts, tmp_path):
    whole = as_splits(toy.task, parts)
    whole.save_to_disk(tmp_path / "kept")
    assert fingerprint(datasets.load_from_disk(str(tmp_path / "kept"))) == fingerprint(whole)


def test_a_fingerprint_does_not_depend_on_the_order_of_splits_and_columns(toy, parts):
    turned = {name: dict(reversed(list(columns.items()))) for name, columns in reversed(list(parts.items()))}
    assert fingerprint(as_splits(toy.task, turned)) == fingerprint(as_splits(toy.task, parts))


def changed(parts, split, column, change):
    return {**parts, split: {**parts[split], column: change(parts[split][column].copy())}}


def nudged(array):
    array.reshape(-1)[-1] += 1
    return array


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("column", ["left", "right", "right:length", "target", "group"])
def test_one_number_anywhere_changes_the_fingerprint(toy, parts, split, column):
    other = changed(parts, split, column, nudged)
    assert fingerprint(as_splits(toy.task, other)) != fingerprint(as_splits(toy.task, parts))


def test_types_rows_and_names_change_the_fingerprint(toy, parts):
    prints = {fingerprint(as_splits(toy.task, parts))}
    prints.add(fingerprint(as_splits(toy.task, changed(parts, "train", "target", lambda x: x.astype(np.int32)))))
    prints.add(fingerprint(as_splits(toy.task, changed(parts, "train", "target", lambda x: x[::-1]))))
    shorter = {key: column[:-1] for key, column in parts["train"].items()}
    prints.add(fingerprint(as_splits(toy.task, {**parts, "train": shorter})))
    renamed = {"groups" if key == "group" else key: column for key, column in parts["train"].items()}
    prints.add(fingerprint(as_splits(toy.task, {**parts, "train": renamed})))
    prints.add(fingerprint(as_splits(toy.task, {**parts, "test": parts["validation"], "validation": parts["test"]})))
    assert len(prints) == 6


def test_a_fingerprint_is_of_the_rows_that_were_selected(toy, parts):
    """Shuffles, selections and ``train_test_split`` keep the table and change an index."""
    whole = as_splits(toy.task, parts)
    some = np.array([5, 3, 8])
    selected = datasets.DatasetDict({**whole, "train": whole["train"].select(some)})
    written = {**parts, "train": {key: column[some] for key, column in parts["train"].items()}}
    assert fingerprint(selected) == fingerprint(as_splits(toy.task, written))


def test_a_column_that_has_no_bytes_of_its_own_is_refused(toy, parts):
    """The hash of text or ragged lists would be one of addresses: another at every run."""
    whole = as_splits(toy.task, parts)
    for column in (pa.array([f"clip {i}" for i in range(20)]), pa.array([[1.0] * i for i in range(20)])):
        strange = datasets.Dataset(whole["train"].data.table.append_column("extra", column))
        with pytest.raises(MmbenchError, match="column 'extra' of train has type"):
            fingerprint(datasets.DatasetDict({**whole, "train": strange}))


def test_a_dataset_of_every_kind_of_column_goes_through(cache, workshop, toy):
    task = Task("multilabel", 2, (Modality("words", "tokens", (3,), vocabulary=5), Modality("x", "image", (1, 2, 2))))
    columns = {
        "words": np.arange(12).reshape(4, 3) % 5,
        "words:length": np.array([3, 1, 2, 3]),
        "x": np.arange(16, dtype=np.float32).reshape(4, 1, 2, 2),
        "present": np.array([[True, True], [True, False], [False, True], [True, True]]),
        "target": np.eye(4, 2, dtype=np.float32),
    }
    workshop.LAID["plain"] = lambda scale: Source(task, as_splits(task, dict.fromkeys(SPLITS, columns)))
    kept = prepare(toy.card(task), {})
    assert kept.task == task
    assert kept.missing


def test_what_a_killed_process_left_is_no_dataset(cache, laid):
    rubbish = cache / "datasets" / ".making-abc"
    rubbish.mkdir(parents=True)
    (rubbish / "prepared.json").write_text("{")
    assert find(laid, {}) is None
    assert prepare(laid, {}).sizes["test"] == 9
