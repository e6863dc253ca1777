"""A source has three splits in the agreed columns, and says what does not fit."""

import datasets
import numpy as np
import pytest

from mmbench.core.errors import MmbenchError
from mmbench.data.source import Source, table


def test_a_table_keeps_shapes_types_and_values(toy):
    columns = toy.columns(6)
    made = table(toy.task, columns)
    assert len(made) == 6
    assert set(made.column_names) == set(columns)
    np.testing.assert_array_equal(np.array(made["left"]), columns["left"])
    np.testing.assert_array_equal(np.array(made["right"]).reshape(6, 5, 2), columns["right"])
    assert made["target"][:] == columns["target"].tolist()
    assert made.features["left"].feature.dtype == "float32"
    assert made.features["left"].length == 4
    assert made.features["right"].length == 10
    assert made.features["right:length"].dtype == "int64"


def test_a_table_does_not_care_about_memory_layout(toy):
    columns = toy.columns(6)
    turned = {**columns, "right": np.asfortranarray(columns["right"]), "left": columns["left"][::-1]}
    made = table(toy.task, turned)
    np.testing.assert_array_equal(np.array(made["right"]).reshape(6, 5, 2), columns["right"])
    np.testing.assert_array_equal(np.array(made["left"]), columns["left"][::-1])


def test_a_modality_without_a_column_is_told(toy):
    columns = toy.columns(6)
    del columns["right"]
    with pytest.raises(MmbenchError, match="no column for modality 'right'"):
        table(toy.task, columns)


def test_a_wrong_shape_is_told_with_the_right_one(toy):
    columns = {**toy.columns(6), "left": np.zeros((6, 3), np.float32)}
    with pytest.raises(MmbenchError, match=r"'left' has samples of shape \(3,\), and its task says \(4,\)"):
        table(toy.task, columns)


def test_rows_that_do_not_match_are_told(toy):
    columns = {**toy.columns(6), "target": np.zeros(5, np.int64)}
    with pytest.raises(MmbenchError, match="column 'target' has 5 rows, and others have 6"):
        table(toy.task, columns)


@pytest.mark.parametrize("names", [("train", "test"), ("train", "valid", "test"), ("train", "validation", "test", "x")])
def test_a_source_has_train_validation_and_test(toy, names):
    one = table(toy.task, toy.columns(3))
    with pytest.raises(MmbenchError, match="has the splits train, validation, test, not"):
        Source(toy.task, datasets.DatasetDict(dict.fromkeys(names, one)))
