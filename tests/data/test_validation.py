"""A dataset that no method could use is refused when it is made, with the place and the reason."""

import datasets
import numpy as np
import pytest

from mmbench import MmbenchError, Modality, Source, Task
from mmbench.data.source import table
from mmbench.data.validation import validate

TASK = Task(
    "classification",
    3,
    (
        Modality("view", "vector", (2,)),
        Modality("series", "sequence", (4, 2)),
        Modality("words", "tokens", (3,), vocabulary=5),
    ),
)


def columns(rows=6):
    rng = np.random.default_rng(0)
    return {
        "view": rng.normal(size=(rows, 2)).astype(np.float32),
        "series": rng.normal(size=(rows, 4, 2)).astype(np.float32),
        "series:length": np.full(rows, 3),
        "words": rng.integers(1, 5, (rows, 3)),
        "target": np.arange(rows) % 3,
        "present": np.ones((rows, 3), dtype=bool),
    }


def source(task=TASK, **changes):
    changed = {**columns(), **changes}
    splits = {name: table(task, columns()) for name in ("train", "validation")}
    return Source(task, datasets.DatasetDict({**splits, "test": table(task, changed)}))


def put(column, index, value):
    changed = columns()[column]
    changed[index] = value
    return {column: changed}


def test_a_sound_dataset_passes():
    assert validate(source(), "toy") is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("view", (4, 1), np.nan), "test, modality 'view': it is NaN or infinite in 1 of 6 rows, first in row 4"),
        (put("series", (2, 0, 0), np.inf), "modality 'series': it is NaN or infinite"),
        (put("series:length", 1, 0), "has a length outside 1 to 4"),
        (put("series:length", 1, 5), "has a length outside 1 to 4"),
        (put("words", (0, 0), 5), "has ids outside the vocabulary"),
        (put("target", 3, 3), "target: it is no class of 0 to 2 in 1 of 6 rows"),
        ({"target": np.zeros(6, dtype=np.int32)}, "classes are int64, not int32"),
        ({"target": np.zeros((6, 3), dtype=np.float32)}, "holds 3 numbers a row, and the task says 0"),
    ],
)
def test_what_is_wrong_is_named(change, message):
    with pytest.raises(MmbenchError) as error:
        validate(source(**change), "toy")
    assert message in str(error.value)


def test_what_is_absent_or_padded_may_be_anything():
    present = np.ones((6, 3), dtype=bool)
    present[4, 0] = False
    assert validate(source(**put("view", (4, 1), np.nan), present=present), "toy") is None
    assert validate(source(**put("series", (2, 3), np.nan)), "toy") is None


def test_empty_splits_and_missing_columns_are_refused():
    empty = {name: column[:0] for name, column in columns().items()}
    with pytest.raises(MmbenchError, match="it has no rows"):
        validate(source(**empty), "toy")
    without = {name: column for name, column in columns().items() if name != "target"}
    splits = datasets.DatasetDict({name: table(TASK, without) for name in ("train", "validation", "test")})
    with pytest.raises(MmbenchError, match="there is no column 'target'"):
        validate(Source(TASK, splits), "toy")


def test_labels_are_zeros_and_ones():
    task = Task("anomaly", 1, TASK.modalities)
    labels = np.array([[0], [1], [0.5], [1], [0], [1]], dtype=np.float32)
    sound = {**columns(), "target": labels.round()}
    splits = {name: table(task, sound) for name in ("train", "validation")}
    wrong = datasets.DatasetDict({**splits, "test": table(task, {**sound, "target": labels})})
    with pytest.raises(MmbenchError, match="neither 0 nor 1 in 1 of 6 rows, first in row 2"):
        validate(Source(task, wrong), "toy")


@pytest.mark.parametrize("size", [1, 20])
def test_rows_are_counted_over_all_blocks(monkeypatch, size):
    monkeypatch.setattr("mmbench.data.columns.BLOCK", size)
    values = columns()["view"]
    values[[2, 5]] = np.nan
    message = "test, modality 'view': it is NaN or infinite in 2 of 6 rows, first in row 2"
    with pytest.raises(MmbenchError, match=message):
        validate(source(view=values), "toy")
    with pytest.raises(MmbenchError, match="target: it is no class of 0 to 2 in 1 of 6 rows, first in row 3"):
        validate(source(**put("target", 3, 3)), "toy")
