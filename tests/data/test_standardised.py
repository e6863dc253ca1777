"""The standardised form: in blocks as all at once, made once for all, and never of old code or damaged."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import datasets
import numpy as np
import pytest

from mmbench.core.errors import MmbenchError
from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.data import standardised
from mmbench.data.source import SPLITS

TASK = Task(
    "regression",
    2,
    (
        Modality("vector", "vector", (4,)),
        Modality("image", "image", (2, 3, 5)),
        Modality("series", "sequence", (6, 3)),
        Modality("video", "sequence", (4, 2, 3, 3)),
        Modality("words", "tokens", (5,), vocabulary=7),
    ),
)
OTHERS = {"vector": (0,), "image": (0, 2, 3), "series": (0, 1), "video": (0, 1, 3, 4)}  # all axes but the features'


def draw(rows, seed):
    """Columns with padding, holes and rows without anything; what is not there is NaN."""
    rng = np.random.default_rng(seed)
    present = rng.random((rows, len(TASK.modalities))) >= 0.4
    present[0], present[1] = True, False
    columns = {"present": present, "group": np.arange(rows) // 3}
    columns["target"] = (rng.normal(size=(rows, 2)) * [2, 300] + [5, -1000]).astype(np.float32)
    for i, modality in enumerate(TASK.modalities):
        values = rng.normal(1e3, 1.0, (rows, *modality.shape)) * (1 + np.arange(modality.shape[-1]))
        if modality.kind == "tokens":
            values = rng.integers(1, modality.vocabulary, (rows, *modality.shape))
        real = present[:, i]
        if modality.timed:
            columns[f"{modality.name}:length"] = length = rng.integers(1, modality.shape[0] + 1, rows)
            real = real[:, None] & (np.arange(modality.shape[0]) < length[:, None])
        real = real.reshape(*real.shape, *[1] * (values.ndim - real.ndim))
        dtype, nothing = (np.int64, -1) if modality.kind == "tokens" else (np.float32, np.nan)
        columns[modality.name] = np.where(real, values, nothing).astype(dtype)
    return columns


@pytest.fixture
def parts():
    return {name: draw(rows, seed) for seed, (name, rows) in enumerate(zip(SPLITS, (90, 30, 40), strict=True))}


@pytest.fixture
def dataset(kept, parts):
    return kept(TASK, parts)


@pytest.fixture
def form(dataset):
    return dataset.folder / standardised.form_name()


def copied(found):
    return {part: {name: array.copy() for name, array in arrays.items()} for part, arrays in found.items()}


def same(some, others):
    assert some.keys() == others.keys()
    for part in some:
        assert some[part].keys() == others[part].keys()
        for name, array in some[part].items():
            np.testing.assert_array_equal(array, others[part][name], err_msg=f"{part} {name}")


# The numbers.


@pytest.mark.parametrize("size", [1, 600, 2000, 10**9])
def test_in_blocks_it_is_what_it_is_all_at_once(dataset, parts, form, monkeypatch, size):
    """The reference is written down here without blocks, over what is real alone."""
    shutil.rmtree(form)
    monkeypatch.setattr("mmbench.data.columns.BLOCK", size)
    found = standardised.load(TASK, dataset.folder)
    rows = {name: parts[name]["present"].any(1) | (name == "test") for name in SPLITS}
    train = {name: column[rows["train"]].astype(np.float64) for name, column in parts["train"].items()}
    for name, others in OTHERS.items():
        mean, deviation = (f(train[name], axis=others, keepdims=True) for f in (np.nanmean, np.nanstd))
        np.testing.assert_allclose(found["scaling"][name][0], mean, rtol=1e-12)
        np.testing.assert_allclose(found["scaling"][name][1], deviation, rtol=1e-9)
        for part in SPLITS:
            wanted = np.nan_to_num((parts[part][name][rows[part]].astype(np.float64) - mean) / deviation, nan=0.0)
            np.testing.assert_allclose(found[part][name], wanted.astype(np.float32), rtol=1e-6, atol=1e-6)
            assert not found[part][name][np.isnan(parts[part][name][rows[part]])].any()
    mean, deviation = train["target"].mean(0), train["target"].std(0)
    for part in SPLITS:
        wanted = (parts[part]["target"][rows[part]] - mean) / deviation
        np.testing.assert_allclose(found[part]["target"], wanted.astype(np.float32), rtol=1e-5, atol=1e-6)
        words = parts[part]["words"][rows[part]]
        np.testing.assert_array_equal(found[part]["words"], np.where(words < 0, 0, words))
        for name in ("present", "group", "series:length", "video:length", "words:length"):
            np.testing.assert_array_equal(found[part][name], parts[part][name][rows[part]])


@pytest.mark.parametrize("size", [10, 10**9])
def test_features_far_from_zero_keep_their_deviation(kept, monkeypatch, size):
    """The sum of squares less the square of the sum would lose it."""
    monkeypatch.setattr("mmbench.data.columns.BLOCK", size)
    task = Task("classification", 2, (Modality("x", "vector", (2,)),))
    rng = np.random.default_rng(0)
    values = np.stack([1e6 + rng.normal(size=400), np.full(400, 1e9)], 1).astype(np.float32)
    values = values[np.argsort(values[:, 0])]  # so that blocks have means of their own
    columns = {"x": values, "target": np.arange(400) % 2}
    dataset = kept(task, dict.fromkeys(SPLITS, columns))
    mean, deviation = standardised.load(task, dataset.folder)["scaling"]["x"][:, 0]
    np.testing.assert_allclose(mean, values.astype(np.float64).mean(0), rtol=1e-14)
    np.testing.assert_allclose(deviation, [values[:, 0].astype(np.float64).std(), 1.0], rtol=1e-9)


def test_a_modality_that_train_never_shows_is_left_as_it_is(kept, parts):
    parts["train"]["present"][:, 0] = False
    dataset = kept(TASK, parts)
    found = standardised.load(TASK, dataset.folder)
    np.testing.assert_array_equal(found["scaling"]["vector"].ravel(), [0] * 4 + [1] * 4)
    assert not found["train"]["vector"].any()
    np.testing.assert_array_equal(found["test"]["vector"], np.nan_to_num(parts["test"]["vector"]))


def test_double_precision_becomes_single(kept):
    task = Task("classification", 2, (Modality("x", "vector", (1,)),))
    columns = {"x": np.random.default_rng(0).normal(size=(30, 1)), "target": np.arange(30) % 2}
    found = standardised.load(task, kept(task, dict.fromkeys(SPLITS, columns)).folder)["train"]["x"]
    assert found.dtype == np.float32
    assert found.std() == pytest.approx(1, abs=1e-5)


def test_bytes_stay_bytes_beside_the_scaling_that_standardises_them(kept):
    task = Task("classification", 2, (Modality("photo", "image", (1, 2, 2)),))
    photos = np.random.default_rng(0).integers(0, 256, (30, 1, 2, 2), dtype=np.uint8)
    columns = {"photo": photos, "target": np.arange(30) % 2}
    found = standardised.load(task, kept(task, dict.fromkeys(SPLITS, columns)).folder)
    np.testing.assert_array_equal(found["train"]["photo"], photos)
    assert found["train"]["photo"].dtype == np.uint8
    mean, deviation = found["scaling"]["photo"]
    scaled = (photos - mean) / deviation
    assert scaled.mean() == pytest.approx(0, abs=1e-12)
    assert scaled.std() == pytest.approx(1, abs=1e-12)


def test_tokens_alone_have_no_scaling(kept):
    task = Task("classification", 2, (Modality("words", "tokens", (3,), vocabulary=5),))
    columns = {"words": np.arange(30).reshape(10, 3) % 5, "target": np.arange(10) % 2}
    found = standardised.load(task, kept(task, dict.fromkeys(SPLITS, columns)).folder)
    assert found["scaling"] == {}
    np.testing.assert_array_equal(found["test"]["words"], columns["words"])


# Where it is kept.


def test_it_is_made_with_the_dataset_and_then_mapped(dataset, monkeypatch):
    monkeypatch.setattr(datasets, "load_from_disk", None)
    first, second = (standardised.load(TASK, dataset.folder) for _ in range(2))
    same(first, second)


def test_without_it_the_first_to_load_makes_it(dataset, form, monkeypatch):
    wanted = copied(standardised.load(TASK, dataset.folder))
    shutil.rmtree(form)
    same(standardised.load(TASK, dataset.folder), wanted)
    assert form.is_dir()
    monkeypatch.setattr(datasets, "load_from_disk", None)
    same(standardised.load(TASK, dataset.folder), wanted)


@pytest.fixture
def change(monkeypatch, tmp_path):
    """``change(file)``: another version of the code that makes the form."""
    code = tmp_path / "code"
    code.mkdir()
    for name in standardised.MAKERS:
        shutil.copy(Path(standardised.__file__).parent / name, code)
    monkeypatch.setattr(standardised, "__file__", str(code / "standardised.py"))

    def append(name):
        with (code / name).open("a") as file:
            file.write("# changed\n")
        standardised.form_name.cache_clear()

    yield append
    standardised.form_name.cache_clear()


def forms(folder):
    return {path.name for path in folder.glob("standardised-*")}


@pytest.mark.parametrize("name", standardised.MAKERS)
def test_other_code_makes_another_form(dataset, form, change, name):
    change(name)
    standardised.load(TASK, dataset.folder)
    assert forms(dataset.folder) == {form.name, standardised.form_name()}
    assert standardised.form_name() != form.name


def test_a_form_of_old_code_is_removed_when_another_is_made(dataset, form, change):
    for path in (*form.rglob("*"), form):
        os.utime(path, (0, time.time() - standardised.OUTDATED - 60))
    standardised.load(TASK, dataset.folder)
    assert forms(dataset.folder) == {form.name}, "as long as it is in use it may be as old as it likes"
    change("arrays.py")
    standardised.load(TASK, dataset.folder)
    assert forms(dataset.folder) == {standardised.form_name()}


def test_a_cache_that_cannot_be_written_to_is_good_enough(dataset, form, monkeypatch):
    wanted = copied(standardised.load(TASK, dataset.folder))
    shutil.rmtree(form)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    same(standardised.load(TASK, dataset.folder), wanted)
    assert not form.exists()
    assert {path.name for path in dataset.folder.iterdir()} == {"splits", "prepared.json"}


def test_a_form_that_cannot_be_finished_leaves_nothing(dataset, form, monkeypatch):
    shutil.rmtree(form)

    def full(file):
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="no space left"):
            standardised.load(TASK, dataset.folder)
    assert {path.name for path in dataset.folder.iterdir()} == {"splits", "prepared.json"}
    standardised.load(TASK, dataset.folder)


@pytest.mark.parametrize("part", ["train", "test", "scaling"])
@pytest.mark.parametrize("harm", ["cut", "file", "folder"])
def test_damage_is_told_with_what_to_do(dataset, form, part, harm):
    path = form / part / "vector.npy"
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:-4])
    elif harm == "file":
        path.unlink()
    else:
        shutil.rmtree(path.parent)
    with pytest.raises(MmbenchError, match="delete the folder") as caught:
        standardised.load(TASK, dataset.folder)
    assert f"delete the folder {form}, it will be made anew" in str(caught.value)
    shutil.rmtree(form)
    standardised.load(TASK, dataset.folder)


LOADER = """
import sys, time
from pathlib import Path
from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.data import standardised

task = eval(sys.argv[1])
folder, here = Path(sys.argv[2]), Path(sys.argv[3])
make = standardised.make

def together(*words):
    make(*words)
    (here / sys.argv[4]).touch()
    while len(list(here.iterdir())) < 2:  # until the other one has made its own too
        time.sleep(0.01)

standardised.make = together
found = standardised.load(task, folder)
print(float(found["train"]["vector"].sum()))
"""


def test_two_processes_may_make_it_at_once(dataset, form, tmp_path):
    wanted = float(standardised.load(TASK, dataset.folder)["train"]["vector"].sum())
    shutil.rmtree(form)
    (tmp_path / "here").mkdir()
    words = [sys.executable, "-c", LOADER, repr(TASK), str(dataset.folder), str(tmp_path / "here")]
    both = [
        subprocess.Popen([*words, name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for name in "ab"
    ]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert [float(out) for out, _ in said] == [wanted, wanted]
    assert {path.name for path in dataset.folder.iterdir()} == {"splits", "prepared.json", form.name}


def test_what_is_there_is_mapped_without_the_libraries_that_made_it(dataset):
    script = (
        "import sys\nfrom pathlib import Path\nfrom mmbench.core.modality import Modality\n"
        f"from mmbench.core.task import Task\nfrom mmbench.data.splits import load_splits\n"
        f"load_splits({TASK!r}, Path(sys.argv[1]))\nassert not {{'datasets', 'pyarrow'}} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(dataset.folder)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
