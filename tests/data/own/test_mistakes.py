"""Whatever is wrong with somebody's data is told with the file, the column and the row."""

import numpy as np
import pytest

from mmbench.core.errors import MmbenchError

CATS = 'name = "mine"\ntarget = "label"\n[task]\nkind = "classification"\nclasses = ["cat", "dog"]\n'
FILES = '[split]\ntrain = "train.csv"\nvalidation = "validation.csv"\ntest = "test.csv"\n'
VECTOR = '[modalities.a]\nkind = "vector"\ncolumn = "a"\n'
CARD = CATS + FILES + VECTOR
PARQUET = CARD.replace(".csv", ".parquet")
NPZ = CARD.replace(".csv", ".npz")


def told(made, folder, *words):
    with pytest.raises(MmbenchError) as raised:
        made(folder)
    for word in words:
        assert word in str(raised.value), str(raised.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"a": [1, 2, "x", 4]}, ("train.csv, column 'a', row 2", "'x' is no number")),
        ({"a": [1, "nan", 3, 4]}, ("train.csv, column 'a', row 1", "NaN or infinite")),
        ({"a": [1, 1e300, 3, 4]}, ("row 1", "NaN or infinite")),
        ({"a": [1, "", 3, ""]}, ("train.csv, row 1", "no modality at all (2 rows)")),
        ({"label": ["cat", "cta", "dog", "dgo"]}, ("row 1", "'cta' is no class; did you mean cat?", "2 of 4 rows")),
        ({"label": ["cat", "", "dog", ""]}, ("column 'label', row 1", "target is missing (in 2 of 4 rows)")),
    ],
)
def test_cells_that_are_wrong(lay, made, three, changes, words):
    told(made, lay(CARD, {**three(), "train.csv": {**three()["train.csv"], **changes}}), *words)


def test_classes_out_of_range_and_fractions(lay, made, three):
    numbers = CARD.replace('classes = ["cat", "dog"]', "outputs = 2")
    told(made, lay(numbers, three(label=[0, 1, 2, 1])), "row 2", "2 is no class of 0 to 1")
    told(made, lay(numbers, three(label=[0, 1, -1, 1])), "row 2", "-1 is no class")
    told(made, lay(numbers, three(label=[0, 0.5, 1, 1])), "row 1", "0.5 is no class")
    told(made, lay(numbers, three(label=["cat", "dog", "cat", "dog"])), "'cat' is no number", "name the classes")


def test_targets_that_are_no_numbers(lay, made, three):
    regression = CARD.replace('"classification"\nclasses = ["cat", "dog"]', '"regression"')
    told(made, lay(regression, three(label=[0, "nan", 1, 1])), "row 1", "target is NaN or infinite")
    anomaly = CARD.replace('"classification"\nclasses = ["cat", "dog"]', '"anomaly"')
    told(made, lay(anomaly, three(label=[0, 1, 2, 0])), "row 2", "target is 2, neither 0 nor 1")


def test_no_such_column(lay, made, three):
    told(made, lay(CARD.replace('column = "a"', 'column = "aa"'), three()), "no column 'aa'; did you mean a?")
    told(made, lay(CARD.replace('target = "label"', 'target = "lable"'), three()), "did you mean label?")


def test_missing_and_foreign_files(lay, made, three, folder, tmp_path):
    tables = three()
    del tables["test.csv"]
    told(made, lay(CARD, tables), "table 'test.csv'", "there is no file test.csv")
    told(made, lay(CARD.replace("test.csv", "test.xlsx"), {**three(), "test.xlsx": b""}), "a table is a file .csv")
    (tmp_path / "outside.csv").write_text("a,label\n1,cat\n")
    told(made, lay(CARD.replace("test.csv", "../outside.csv"), three()), "leaves the folder")
    told(made, lay(CARD.replace("test.csv", str(tmp_path / "outside.csv")), three()), "is absolute")
    (folder / "link.csv").symlink_to(tmp_path / "outside.csv")
    told(made, lay(CARD.replace("test.csv", "link.csv"), three()), "leaves the folder")


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("csv", b"a,label\n1,cat\n2\n", "line 3 has 1 cells, and the header has 2"),
        ("csv", b"a,label\n1,\xff\n", "cannot be read as .csv"),
        ("csv", b"a,label,a\n1,cat,2\n", "two columns 'a'"),
        ("csv", b"", "there is no column 'a'"),
        ("parquet", b"no parquet", "cannot be read as .parquet"),
        ("npz", b"no npz", "cannot be read as .npz"),
    ],
)
def test_tables_that_cannot_be_read(lay, made, three, name, content, word):
    told(made, lay(CARD.replace("train.csv", f"train.{name}"), {**three(), f"train.{name}": content}), word)


def test_pickles_are_never_read(lay, made):
    objects = np.array([{"a": 1}, None, 2, 3], dtype=object)
    arrays = {"a": objects, "label": np.array(["cat", "dog", "cat", "dog"])}
    told(made, lay(NPZ, {f"{name}.npz": arrays for name in ("train", "validation", "test")}), "cannot be read as .npz")


def test_unequal_rows(lay, made, three):
    side = CARD.replace('"train.csv"', '["train.csv", "x.npz"]').replace('column = "a"', 'column = "x"')
    tables = three(x=[1, 2, 3, 4])
    del tables["train.csv"]["x"]
    told(made, lay(side, {**tables, "x.npz": {"x": np.zeros((5, 1))}}), "x.npz has 5", "train.csv has 4")
    both = CARD.replace('"train.csv"', '["train.csv", "x.npz"]')
    told(made, lay(both, {**three(), "x.npz": {"a": np.zeros(4)}}), "column 'a' is in train.csv and in x.npz")


def parquet(**changes):
    columns = {"a": [[1.0, 2.0]] * 4, "label": ["cat", "dog"] * 2, **changes}
    return {f"{name}.parquet": columns for name in ("train", "validation", "test")}


@pytest.mark.parametrize(
    ("kind", "cells", "words"),
    [
        ("vector", [[1.0, 2.0], [1.0, 2.0], [1.0], [1.0, 2.0]], ("row 2", "has shape (1,), and the first sample has")),
        ("vector", [[1.0, None]] * 4, ("row 0", "NaN or infinite")),
        ("vector", [[[1.0], [2.0]]] * 4, ("row 0", "has shape (2, 1), which is no vector")),
        ("vector", ["text"] * 4, ("holds text, not numbers",)),
        ("sequence", [[[1.0], [2.0, 3.0]]] * 4, ("row 0", "different lengths")),
        ("sequence", [[[1.0]], [[1.0, 2.0]], [[1.0]], [[1.0]]], ("row 1", "has shape (2,) in each frame")),
        ("image", [[[1, 2], [3, 4]], [[1, 2]], [[1, 2]], [[1, 2]]], ("row 1", "has shape (1, 1, 2)")),
        ("image", ["a.png"] * 4, ("holds text; write file = 'a'",)),
    ],
)
def test_shapes_that_do_not_fit(lay, made, kind, cells, words):
    text = PARQUET.replace('kind = "vector"', f'kind = "{kind}"')
    told(made, lay(text, parquet(a=cells)), "train.parquet, column 'a'", *words)


def test_shapes_that_the_card_says_otherwise(lay, made):
    text = PARQUET + "shape = [3]\n"
    told(made, lay(text, parquet()), "row 0", "has shape (2,), and the card says (3,)")


def test_channels_come_first(lay, made):
    arrays = {"a": np.zeros((4, 6, 7, 3), dtype=np.uint8), "label": np.array(["cat", "dog"] * 2)}
    text = NPZ.replace('"vector"', '"image"')
    told(made, lay(text, {f"{n}.npz": arrays for n in ("train", "validation", "test")}), "channels come first")


def test_ids_outside_of_the_vocabulary(lay, made):
    text = PARQUET.replace('kind = "vector"', 'kind = "tokens"\nvocabulary = 3')
    told(made, lay(text, parquet(a=[[1, 2], [1, 3], [1], [1]])), "row 1", "not in 0 to 2")


def test_lengths_that_cannot_be(lay, made):
    arrays = {"a": np.zeros((4, 5, 2)), "n": np.array([5, 6, 1, 1]), "label": np.array(["cat", "dog"] * 2)}
    text = NPZ.replace('"vector"', '"sequence"\nlengths = "n"')
    told(made, lay(text, {f"{n}.npz": arrays for n in ("train", "validation", "test")}), "'n', row 1", "from 0 to 5")


@pytest.mark.parametrize(
    ("kind", "cell", "files", "words"),
    [
        ("image", "x.png", {}, ("train.csv, column 'a', row 1", "there is no file x.png")),
        ("image", "x.png", {"x.png": b"no image"}, ("row 1", "x.png is no image that Pillow can read")),
        ("image", "../x.png", {}, ("row 1", "leaves the folder")),
        ("image", ".x/x.png", {".x/x.png": b""}, ("row 1", "is hidden")),
        ("image", "/etc/hostname", {}, ("row 1", "is absolute")),
        ("spectrogram", "x.wav", {"x.wav": b"no sound"}, ("row 1", "x.wav is no WAV file")),
    ],
)
def test_files_that_cells_name(lay, made, three, kind, cell, files, words):
    tables = three(a=["", "", "", ""], b=[1, 2, 3, 4])
    tables["train.csv"]["a"][1] = cell
    text = (
        CATS + FILES + f'[modalities.b]\nkind = "vector"\ncolumn = "b"\n[modalities.a]\nkind = "{kind}"\nfile = "a"\n'
    )
    told(made, lay(text, {**tables, **files}), *words)


def test_a_modality_that_is_nowhere(lay, made, three):
    text = CARD + '[modalities.b]\nkind = "vector"\ncolumn = "b"\n'
    told(made, lay(text, three(b=["", "", "", ""])), "modality 'b': every cell is empty")


def test_half_a_vector(lay, made, three):
    text = CARD.replace('column = "a"', 'column = ["a", "b"]')
    told(made, lay(text, three(b=[1, "", 3, 4])), "column 'b', row 1", "is empty, and other columns of 'a' are not")


def test_ids_that_stand_twice(lay, made, three):
    text = 'id = "id"\n' + CARD
    within = three(id=["1", "2", "3", "2"])
    told(made, lay(text, within), "id '2' stands twice", "train.csv, row 1", "train.csv, row 3")
    across = {
        name: {**table, "id": [f"{k}{row}" for row in range(4)]} for k, (name, table) in enumerate(three().items())
    }
    across["test.csv"]["id"][2] = "01"
    told(made, lay(text, across), "id '01' stands twice", "in train (train.csv, row 1)", "in test (test.csv, row 2)")
    empty = three(id=["1", "", "3", "4"])
    told(made, lay(text, empty), "column 'id', row 1", "id is missing")


def test_a_group_in_two_splits(lay, made, three):
    text = 'group = "who"\n' + CARD
    told(made, lay(text, three(who=["ann", "ann", "bob", "bob"])), "group 'ann' stands in train and in validation")


def test_splits_without_rows_and_unknown_splits(lay, made):
    text = CATS + '[split]\ntable = "t.csv"\ncolumn = "part"\n' + VECTOR
    columns = {"a": [1, 2, 3], "label": ["cat", "dog", "cat"]}
    told(made, lay(text, {"t.csv": {**columns, "part": ["train", "test", "train"]}}), "split 'validation' has no rows")
    told(made, lay(text, {"t.csv": {**columns, "part": ["train", "tset", "dev"]}}), "row 1", "did you mean test?")
    words = text.replace('column = "part"', 'column = "part"\nvalidation = "dev"')
    made(lay(words, {"t.csv": {**columns, "part": ["train", "test", "dev"]}}))
    told(made, lay(CARD, {f"{n}.csv": {"a": [], "label": []} for n in ("train", "validation", "test")}), "no rows")


def test_an_encoder_that_there_is_not(lay, made, three):
    told(made, lay(CARD + 'encoder = "huge"\n', three()), "no vector encoder is called 'huge'")


def test_data_that_change_while_they_are_read(lay, three):
    from mmbench.data.own.build import build

    with pytest.raises(MmbenchError, match="changed while it was read"):
        build(card=str(lay(CARD, three()) / "mmbench.toml"), stamp="of another time")
