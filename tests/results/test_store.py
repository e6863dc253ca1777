"""The store: a file is whole or not there, and a finished result is never written over."""

import errno
import os
import pickle
import stat
import threading
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from mmbench.core.errors import MmbenchError
from mmbench.core.spec import Spec, parse_spec
from mmbench.results import store
from mmbench.results.store import Place, UnwritableError


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path / "out", "quick", Spec("avdigits"), parse_spec("late[width=32]"), 3)


PREDICTIONS = {"prediction": np.arange(6, dtype=np.float32).reshape(3, 2) / 7}


def everything(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_result_is_kept_where_its_names_say_and_read_back(place, make_result):
    result = make_result()
    path = store.write(place, result, PREDICTIONS)
    assert path == place.record(result.key)
    assert path.parent == place.out / "quick" / "avdigits" / "late+width=32"
    assert path.name == f"seed3-{result.key[:16]}.json"
    assert store.read(path) == result
    assert store.status(path) == "ok"
    kept = store.read_arrays(path.with_suffix(".npz"))
    assert kept["prediction"].dtype == np.float32
    np.testing.assert_array_equal(kept["prediction"], PREDICTIONS["prediction"])
    assert everything(place.out) == sorted([path, path.with_suffix(".npz")])


def test_a_finished_result_is_never_written_over(place, make_result):
    first = make_result()
    path = store.write(place, first, PREDICTIONS)
    before = {file: file.read_bytes() for file in everything(place.out)}
    for status in ("ok", "error"):
        other = make_result(status, scores={"accuracy": 0.0})
        with pytest.raises(MmbenchError, match="holds a finished result; it is not overwritten") as caught:
            store.write(place, other, {"prediction": np.zeros((3, 2), np.float32)})
        assert str(path) in str(caught.value)
    assert {file: file.read_bytes() for file in everything(place.out)} == before


def test_a_failed_result_may_be_replaced(place, make_result):
    path = store.write(place, make_result("error"))
    assert store.status(path) == "error"
    store.write(place, make_result("diverged"))
    assert store.status(path) == "diverged"
    store.write(place, make_result(), PREDICTIONS)
    assert store.status(path) == "ok"


def test_a_torn_record_may_be_replaced(place, make_result):
    path = place.record(make_result().key)
    path.parent.mkdir(parents=True)
    path.write_text('{"outcome": {"sta')
    assert store.status(path) is None
    store.write(place, make_result())
    assert store.status(path) == "ok"


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"[]", b"{}", b'{"outcome": 3}', b"\xff\xfe", b'"text"'])
def test_what_has_no_status_has_none(tmp_path, content):
    path = tmp_path / "seed0-abc.json"
    assert store.status(path) is None
    path.write_bytes(content)
    assert store.status(path) is None


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"{}", b"\xff\xfe"])
def test_a_record_that_cannot_be_read_is_told_with_its_path(tmp_path, content):
    path = tmp_path / "seed0-abc.json"
    path.write_bytes(content)
    with pytest.raises(MmbenchError, match="is no result of this version") as caught:
        store.read(path)
    assert str(path) in str(caught.value)


def test_the_field_that_does_not_fit_is_told(place, make_result):
    path = store.write(place, make_result())
    path.write_text(path.read_text().replace('"seed": 3', '"seed": "three"'))
    with pytest.raises(MmbenchError, match=r"identity\.seed: .*valid integer"):
        store.read(path)


def test_seeds_with_a_record_are_known_whatever_its_key(place, make_result, make_identity):
    assert place.recorded_seeds() == set()
    older = make_identity(core_source="0" * 32)
    store.write(place, make_result(identity=older))
    tenth = replace(place, seed=30)
    store.write(tenth, make_result(identity=make_identity(seed=30)), PREDICTIONS)
    (place.folder / "seedling-notes.json").write_text("{}")
    assert place.recorded_seeds() == {older.seed, 30}


def test_all_records_of_a_folder_are_found_in_one_order(tmp_path, make_result, make_identity):
    wanted = []
    for dataset in ("b", "a"):
        for method in ("late[width=32]", "early"):
            for seed in (1, 0):
                there = Place(tmp_path, "quick", Spec(dataset), parse_spec(method), seed)
                identity = make_identity(dataset=dataset, method=method, seed=seed)
                wanted.append(store.write(there, make_result(identity=identity), PREDICTIONS))
    (tmp_path / "quick" / "a" / ".writing-abc").write_text("half")
    (tmp_path / "quick" / "a" / "notes.json").write_text("{}")
    assert list(store.records(tmp_path)) == sorted(wanted)
    assert list(store.records(tmp_path / "nothing")) == []


def test_targets_are_kept_once_beside_the_methods(place):
    targets = {"target": np.arange(3), "group": np.array([0, 0, 1])}
    store.keep_targets(place, "f" * 64, targets)
    path = store.targets_path(place.out / "quick" / "avdigits", "f" * 64)
    np.testing.assert_array_equal(store.read_arrays(path)["group"], [0, 0, 1])
    store.keep_targets(place, "f" * 64, {"target": np.zeros(3)})
    np.testing.assert_array_equal(store.read_arrays(path)["target"], [0, 1, 2])
    store.keep_targets(place, "e" * 64, {})
    assert everything(place.out) == [path]


# Whole or not at all.


@pytest.mark.parametrize(
    ("error", "told", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), UnwritableError, "No space .*; free some space and run"),
        (
            OSError(errno.EROFS, "Read-only file system"),
            UnwritableError,
            "Read-only file system; .*; mend that and run",
        ),
        (KeyboardInterrupt("now"), KeyboardInterrupt, "now"),
    ],
)
def test_a_write_that_fails_leaves_what_was_there_and_nothing_else(tmp_path, monkeypatch, error, told, message):
    path = tmp_path / "deep" / "file.json"
    store.write_whole(path, b"before")

    def broken(handle):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", broken)
        with pytest.raises(told, match=message):
            store.write_whole(path, b"after")
    assert path.read_bytes() == b"before"
    assert everything(tmp_path) == [path]


def test_a_failed_write_of_a_result_leaves_no_record(place, make_result, monkeypatch):
    """Predictions come first: a record never lacks them."""
    whole = store.write_whole

    def no_records(path, content):
        if path.suffix == ".json":
            raise OSError("no space left on device")
        whole(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(store, "write_whole", no_records)
        with pytest.raises(OSError, match="no space"):
            store.write(place, make_result(), PREDICTIONS)
    assert store.status(place.record(make_result().key)) is None
    assert store.write(place, make_result(), PREDICTIONS).exists()


def test_what_a_killed_writer_has_left_can_be_removed(place, make_result):
    path = store.write(place, make_result(), PREDICTIONS)
    kept = everything(place.out)
    (path.parent / ".writing-abc123").write_text("half")
    store.remove_unfinished(path.parent)
    store.remove_unfinished(path.parent / "nothing")
    assert everything(place.out) == kept


def test_a_reader_never_sees_a_part(tmp_path):
    path = tmp_path / "file"
    contents = [bytes([letter]) * 200_000 for letter in b"ab"]
    store.write_whole(path, contents[0])
    done, seen = threading.Event(), set()

    def read():
        while not done.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for i in range(40):
        store.write_whole(path, contents[i % 2])
    done.set()
    reader.join()
    assert seen <= set(contents)


def test_files_can_be_read_by_others(tmp_path):
    store.write_whole(tmp_path / "file", b"x")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644


# Arrays.


class Bomb:
    def __reduce__(self):
        return (os.mkdir, ("bomb-went-off",))


def test_no_pickle_is_read(tmp_path, monkeypatch):
    """Neither as an array of objects in the archive nor in place of it."""
    monkeypatch.chdir(tmp_path)
    hidden = tmp_path / "hidden.npz"
    np.savez_compressed(hidden, prediction=np.array([Bomb()], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        store.read_arrays(hidden)
    plain = tmp_path / "plain.npz"
    plain.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValueError, match="allow_pickle"):
        store.read_arrays(plain)
    with zipfile.ZipFile(tmp_path / "zipped.npz", "w") as archive:
        archive.writestr("prediction.npy", pickle.dumps(Bomb()))
    assert not isinstance(store.read_arrays(tmp_path / "zipped.npz")["prediction"], np.ndarray)
    assert not (tmp_path / "bomb-went-off").exists()


def test_no_pickle_is_written(tmp_path):
    with pytest.raises(MmbenchError, match=r"array 'names' for file.npz holds Python objects"):
        store.write_arrays(tmp_path / "file.npz", {"names": np.array(["a", None], dtype=object)})
    assert everything(tmp_path) == []


def test_arrays_keep_their_types(tmp_path):
    arrays = {"a": np.arange(3), "b": np.eye(2, dtype=np.float32), "c": np.array([True]), "d": np.array(["x", "yy"])}
    store.write_arrays(tmp_path / "file.npz", arrays)
    kept = store.read_arrays(tmp_path / "file.npz")
    assert list(kept) == list(arrays)
    for name, array in arrays.items():
        assert kept[name].dtype == array.dtype
        np.testing.assert_array_equal(kept[name], array)


# Before the first cell.


def test_a_folder_that_can_be_written_to_is_made_and_left_empty(tmp_path):
    store.check_writable(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_place_that_cannot_be_a_folder_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(MmbenchError, match=r"cannot write results to .*; choose another with --out"):
            store.check_writable(out)


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write anywhere")
def test_a_read_only_folder_is_told(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(MmbenchError, match=r"cannot write results to .*Permission denied"):
        store.check_writable(tmp_path / "out")
    tmp_path.chmod(0o755)
