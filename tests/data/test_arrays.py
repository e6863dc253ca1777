"""A folder of arrays comes back as it was written, or not at all; what is done to the copy stays there."""

import json
from pathlib import Path

import numpy as np
import pytest

from mmbench.data.arrays import CONTENTS, DamagedError, mapped, write


def block(rows, first=0):
    return {
        "image": np.arange(first * 6, (first + rows) * 6, dtype=np.float32).reshape(rows, 2, 3),
        "image:length": np.arange(first, first + rows),
        "present": np.arange(first, first + rows)[:, None] % 2 == 0,
    }


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "arrays", 7, [block(3), block(3, 3), block(1, 6)])
    return tmp_path / "arrays"


def test_blocks_come_back_as_one(folder):
    found = mapped(folder)
    assert list(found) == ["image", "image:length", "present"]
    for name, array in block(7).items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


def test_the_files_can_be_opened_by_anything(folder):
    np.testing.assert_array_equal(np.load(folder / "image.npy", allow_pickle=False), block(7)["image"])


def test_no_rows_are_an_array_too(tmp_path):
    write(tmp_path / "none", 0, [block(0)])
    assert mapped(tmp_path / "none")["image"].shape == (0, 2, 3)


def test_any_memory_layout_is_written(tmp_path):
    turned = np.asfortranarray(np.arange(12.0).reshape(3, 4))
    write(tmp_path / "turned", 6, [{"x": turned}, {"x": turned[::-1]}])
    np.testing.assert_array_equal(mapped(tmp_path / "turned")["x"], np.concatenate([turned, turned[::-1]]))


def test_what_is_written_to_never_gets_into_the_file_nor_to_others(folder):
    mine, others = mapped(folder), mapped(folder)
    mine["image"][:] = -1
    assert (mine["image"] == -1).all()
    for found in (others, mapped(folder)):
        np.testing.assert_array_equal(found["image"], block(7)["image"])


def test_what_is_mapped_outlives_the_names_of_its_files(folder):
    found = mapped(folder)
    for path in folder.iterdir():
        path.unlink()
    np.testing.assert_array_equal(found["image"], block(7)["image"])


@pytest.mark.parametrize(
    ("rows", "blocks", "message"),
    [
        (5, [block(3)], "3 rows came, and 5 were to come"),
        (6, [block(3), {**block(3), "image": np.zeros((3, 2, 3))}], "image: a block of"),
        (6, [block(3), {**block(3), "image": np.zeros((3, 3, 2), np.float32)}], "image: a block of"),
        (6, [block(3), {"image": block(3)["image"]}], "a block of image among blocks of image, image:length, present"),
    ],
)
def test_blocks_that_do_not_fit_together_are_refused(tmp_path, rows, blocks, message):
    with pytest.raises(ValueError, match=message):
        write(tmp_path / "arrays", rows, blocks)
    assert not (tmp_path / "arrays" / CONTENTS).exists()


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def lengthen(path):
    path.write_bytes(path.read_bytes() + b"\0")


def replace_by_another(path):
    np.save(path, np.zeros((7, 3, 2), np.float32))


@pytest.mark.parametrize(
    ("harm", "file", "message"),
    [
        (cut, "image.npy", "image.npy has 295 bytes"),
        (lengthen, "image.npy", "image.npy has 297 bytes"),
        (replace_by_another, "image.npy", "image.npy holds another array"),
        (lambda path: path.write_bytes(b""), "image.npy", "image.npy is unreadable"),
        (lambda path: path.write_bytes(bytes(296)), "image.npy", "image.npy is unreadable"),
        (lambda path: path.unlink(), "image.npy", "image.npy is missing"),
        (lambda path: path.unlink(), CONTENTS, "arrays.json is missing"),
        (cut, CONTENTS, "arrays.json is unreadable"),
        (lambda path: path.write_text("[]"), CONTENTS, "arrays.json is unreadable"),
        (lambda path: path.write_text('{"image": {}}'), CONTENTS, "arrays.json is unreadable"),
    ],
)
def test_damage_is_found_before_a_number_is_used(folder, harm, file, message):
    harm(folder / file)
    with pytest.raises(DamagedError, match=message):
        mapped(folder)


@pytest.mark.skipif(
    Path("/proc/sys/vm/overcommit_memory").exists() and "2" in Path("/proc/sys/vm/overcommit_memory").read_text(),
    reason="this system promises no more memory than it has, whatever it is asked",
)
def test_an_array_may_be_larger_than_the_memory(tmp_path):
    """Mapping asks for no memory. The file has a hole: it takes no disk either."""
    write(tmp_path / "large", 1, [{"x": np.ones((1, 2**20), np.float32)}])
    rows = 2**16  # 256 GB
    contents = {"x": {"dtype": "<f4", "shape": [rows, 2**20]}}
    with (tmp_path / "large" / "x.npy").open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (rows, 2**20)}
        np.lib.format.write_array_header_1_0(file, header)
        try:
            file.truncate(file.tell() + rows * 2**22)
        except OSError:
            pytest.skip("this file system has no holes, or no room for a large one")
    (tmp_path / "large" / CONTENTS).write_text(json.dumps(contents))
    found = mapped(tmp_path / "large")["x"]
    (tmp_path / "large" / "x.npy").unlink()
    found[5, 5] = 2.0
    assert found[rows - 1, -1] == 0.0
    assert found[5, 5] == 2.0
