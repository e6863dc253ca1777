"""Columns come in blocks of rows, whatever lies behind them: chunks, selections, nulls."""

import datasets
import numpy as np
import pyarrow as pa
import pytest

from mmbench.core.errors import MmbenchError
from mmbench.data import columns
from mmbench.data.columns import blocks, width
from mmbench.data.source import table


@pytest.fixture
def split(toy):
    return table(toy.task, toy.columns(20))


def together(split, name):
    return np.concatenate([block[name] for block in blocks(split, [name])])


@pytest.mark.parametrize("size", [1, 7, 30, 10_000])
def test_the_rows_come_in_order_and_all_of_them(split, toy, monkeypatch, size):
    monkeypatch.setattr(columns, "BLOCK", size)
    made = toy.columns(20)
    found = list(blocks(split, ["left", "target"]))
    assert len(found) == {1: 20, 7: 20, 30: 4, 10_000: 1}[size]
    for name in ("left", "target"):
        values = np.concatenate([block[name] for block in found])
        np.testing.assert_array_equal(values, made[name])
        assert values.dtype == made[name].dtype


def test_chunks_do_not_matter(toy, monkeypatch):
    monkeypatch.setattr(columns, "BLOCK", 40)
    made = toy.columns(20)
    pieces = [table(toy.task, {key: column[i : i + 3] for key, column in made.items()}) for i in range(0, 20, 3)]
    np.testing.assert_array_equal(together(datasets.concatenate_datasets(pieces), "left"), made["left"])


def test_a_selection_of_rows_holds(split, toy):
    some = [5, 3, 3, 19]
    np.testing.assert_array_equal(together(split.select(some), "left"), toy.columns(20)["left"][some])


def test_what_is_stored_in_one_piece_is_not_copied(tmp_path, toy):
    table(toy.task, toy.columns(20)).save_to_disk(tmp_path)
    (block,) = blocks(datasets.load_from_disk(str(tmp_path)), ["left"])
    assert not block["left"].flags.writeable


def test_widths_are_of_lists_of_fixed_size(split):
    assert [width(split, name) for name in ("left", "right", "target")] == [4, 10, 0]
    nested = pa.array([[[1, 2], [3, 4], [5, 6]]], pa.list_(pa.list_(pa.int64(), 2), 3))
    ragged = pa.array([[1, 2, 3]])
    strange = datasets.Dataset(pa.table({"nested": nested, "ragged": ragged}))
    assert (width(strange, "nested"), width(strange, "ragged")) == (6, 0)
    assert together(strange, "nested").tolist() == [[1, 2, 3, 4, 5, 6]]


def test_a_float_that_is_null_is_nan():
    """It is what pandas makes of NaN."""
    split = datasets.Dataset(pa.table({"x": pa.array([[1.0, None], [2.0, 3.0]], pa.list_(pa.float32(), 2))}))
    np.testing.assert_array_equal(together(split, "x"), np.array([[1, np.nan], [2, 3]], dtype=np.float32))


@pytest.mark.parametrize(
    "column", [pa.array([1, None]), pa.array([True, None]), pa.array([[1.0], None], pa.list_(pa.float32(), 1))]
)
def test_other_nulls_are_refused(column):
    with pytest.raises(MmbenchError, match=r"column 'x'.* null"):
        together(datasets.Dataset(pa.table({"x": column})), "x")
