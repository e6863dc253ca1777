"""A folder becomes a dataset: every kind of modality and target, from every kind of table, and what is absent."""

import io

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from scipy.io import wavfile

from mmbench.core.errors import MmbenchError
from mmbench.data.validation import validate

CATS = 'name = "mine"\ntarget = "label"\n[task]\nkind = "classification"\nclasses = ["cat", "dog"]\n'
SHARES = "validation = 0.25\ntest = 0.25\n"
ROWS = 16


def card(modalities, table="t.csv", top=CATS, split=SHARES):
    files = str(table if isinstance(table, list) else [table]).replace("'", '"')
    return f"{top}[split]\ntable = {files}\n{split}{modalities}"


def labels():
    return ["cat", "dog"] * (ROWS // 2)


def column(source, name):
    """A column of all splits, one below the other."""
    return np.concatenate([np.array(split.with_format("numpy")[name]) for split in source.splits.values()])


def png(seed, height=4, width=5):
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def wav(seconds=0.2, rate=8000):
    buffer = io.BytesIO()
    wavfile.write(buffer, rate, np.sin(np.arange(round(seconds * rate))).astype(np.float32))
    return buffer.getvalue()


def test_columns_of_a_csv_file_make_a_vector(lay, made):
    folder = lay(
        card('[modalities.v]\nkind = "vector"\ncolumn = ["a", "b"]\n'),
        {"t.csv": {"a": range(ROWS), "b": [0.5] * ROWS, "label": labels()}},
    )
    source = made(folder)
    assert source.task.modality("v").shape == (2,)
    assert {name: len(split) for name, split in source.splits.items()} == {"train": 8, "validation": 4, "test": 4}
    assert sorted(column(source, "v")[:, 0].tolist()) == list(range(ROWS))
    assert (column(source, "target") == column(source, "v")[:, 0] % 2).all()
    assert "present" not in source.splits["train"].column_names
    validate(source, "mine")


def test_images_are_kept_as_bytes(lay, made):
    files = {f"photos/{row}.png": png(row) for row in range(ROWS)}
    rows = {"photo": list(files), "label": labels()}
    folder = lay(card('[modalities.p]\nkind = "image"\nfile = "photo"\nsize = [8, 6]\n'), {"t.csv": rows, **files})
    source = made(folder)
    assert source.task.modality("p").shape == (3, 8, 6)
    assert source.splits["train"].data.schema.field("p").type.value_type == pa.uint8()
    validate(source, "mine")


def test_without_a_size_images_have_to_agree(lay, made):
    files = {f"{row}.png": png(row, height=4 + (row == 5)) for row in range(ROWS)}
    folder = lay(
        card('[modalities.p]\nkind = "image"\nfile = "photo"\n'),
        {"t.csv": {"photo": list(files), "label": labels()}, **files},
    )
    with pytest.raises(MmbenchError, match=r"row 5: has shape \(3, 5, 5\), and the first sample has \(3, 4, 5\); set"):
        made(folder)


def test_sounds_become_spectrograms_or_sequences(lay, made):
    files = {f"{row}.wav": wav(0.2 + 0.01 * row) for row in range(ROWS)}
    modalities = (
        '[modalities.s]\nkind = "spectrogram"\nfile = "sound"\nseconds = 0.3\nmels = 20\n'
        '[modalities.q]\nkind = "sequence"\nfile = "sound"\nmels = 20\nlength = 25\n'
    )
    source = made(lay(card(modalities), {"t.csv": {"sound": list(files), "label": labels()}, **files}))
    assert source.task.modality("s").shape == (1, 20, 28)
    assert source.task.modality("q").shape == (25, 20)
    assert source.task.modality("q").rate == pytest.approx(100.0)
    lengths = column(source, "q:length")
    assert lengths.min() == 18  # 1 + (1600 - 200) // 80
    assert lengths.max() == 25  # longer ones lose their end
    validate(source, "mine")


def test_sample_rates_have_to_agree(lay, made):
    files = {f"{row}.wav": wav(rate=8000 if row != 3 else 16000) for row in range(ROWS)}
    rows = {"t.csv": {"sound": list(files), "label": labels()}, **files}
    section = '[modalities.s]\nkind = "spectrogram"\nfile = "sound"\nseconds = 0.2\n'
    with pytest.raises(MmbenchError, match=r"row 3: 3.wav has 16000 samples a second, and not 8000"):
        made(lay(card(section), rows))
    with pytest.raises(MmbenchError, match=r"row 0: 0.wav has 8000 samples a second, and not 44100"):
        made(lay(card(section + "sample_rate = 44100\n"), rows))


def test_lists_become_vectors_sequences_and_ids(lay, made):
    rng = np.random.default_rng(0)
    lengths = [1 + row % 5 for row in range(ROWS)]
    table = {
        "v": [rng.normal(size=3).tolist() for _ in range(ROWS)],
        "q": [rng.normal(size=(length, 2)).tolist() for length in lengths],
        "n": [list(range(length)) for length in lengths],
        "ids": [[1 + row % 3] * length for row, length in enumerate(lengths)],
        "label": labels(),
    }
    modalities = (
        '[modalities.v]\nkind = "vector"\ncolumn = "v"\n[modalities.q]\nkind = "sequence"\ncolumn = "q"\n'
        '[modalities.n]\nkind = "sequence"\ncolumn = "n"\nlength = 4\n'
        '[modalities.w]\nkind = "tokens"\ncolumn = "ids"\nvocabulary = 9\n'
    )
    source = made(lay(card(modalities, "t.parquet"), {"t.parquet": table}))
    shapes = {modality.name: modality.shape for modality in source.task.modalities}
    assert shapes == {"v": (3,), "q": (5, 2), "n": (4, 1), "w": (5,)}
    assert sorted(column(source, "q:length").tolist()) == sorted(lengths)
    assert column(source, "n:length").max() == 4
    assert source.task.modality("w").vocabulary == 9
    ids, counts = column(source, "w"), column(source, "w:length")
    assert ((ids > 0).sum(1) == counts).all()
    validate(source, "mine")


def test_files_stand_side_by_side_and_arrays_keep_their_axes(lay, made):
    rng = np.random.default_rng(0)
    arrays = {
        "pixels": rng.integers(0, 256, (ROWS, 6, 7), dtype=np.uint8),
        "frames": rng.normal(size=(ROWS, 4, 2)),
        "count": np.array([2, 4] * (ROWS // 2)),
        "film": rng.normal(size=(ROWS, 3, 1, 5, 5)),
    }
    modalities = (
        '[modalities.p]\nkind = "image"\ncolumn = "pixels"\n'
        '[modalities.q]\nkind = "sequence"\ncolumn = "frames"\nlengths = "count"\n'
        '[modalities.f]\nkind = "sequence"\ncolumn = "film"\n'
    )
    folder = lay(card(modalities, ["t.csv", "x.npz"]), {"t.csv": {"label": labels()}, "x.npz": arrays})
    source = made(folder)
    assert [modality.shape for modality in source.task.modalities] == [(1, 6, 7), (4, 2), (3, 1, 5, 5)]
    assert sorted(set(column(source, "q:length").tolist())) == [2, 4]
    assert np.array_equal(np.sort(column(source, "p").ravel()), np.sort(arrays["pixels"].ravel()))
    validate(source, "mine")


def test_ids_with_lengths_of_their_own_keep_their_zeros(lay, made):
    arrays = {"ids": np.array([[1, 0, 2, 0], [3, 0, 0, 0]] * (ROWS // 2)), "n": np.array([4, 1] * (ROWS // 2))}
    text = '[modalities.w]\nkind = "tokens"\ncolumn = "ids"\nlengths = "n"\nvocabulary = 4\n'
    source = made(lay(card(text, ["t.csv", "x.npz"]), {"t.csv": {"label": labels()}, "x.npz": arrays}))
    assert sorted(set(column(source, "w:length").tolist())) == [1, 4]
    assert {tuple(row) for row in column(source, "w").tolist()} == {(1, 0, 2, 0), (3, 0, 0, 0)}


def test_text_becomes_ids_of_the_words_of_train_alone(lay, made, three):
    tables = three(a=["The cat", "a cat, THE dog!", "cat", "the?"])
    tables["test.csv"]["a"] = ["unseen cat", "dog dog dog dog dog dog", "...", "the"]
    files = '[split]\ntrain = "train.csv"\nvalidation = "validation.csv"\ntest = "test.csv"\n'
    text = '[modalities.w]\nkind = "tokens"\ncolumn = "a"\nvocabulary = 5\n'
    source = made(lay(CATS + files + text, tables))
    assert source.task.modality("w").vocabulary == 5  # padding, unknown, and three words: cat, the, then a before dog
    train, test = (np.array(source.splits[name]["w"]) for name in ("train", "test"))
    assert train[:, :4].tolist() == [[3, 2, 0, 0], [4, 2, 3, 1], [2, 0, 0, 0], [3, 0, 0, 0]]
    assert test[0, :3].tolist() == [1, 2, 0]
    assert test[2, :2].tolist() == [1, 0]  # a text without a word is one unknown word
    assert source.splits["test"]["w:length"] == [2, 6, 1, 1]


def test_empty_cells_are_absent_modalities(lay, made):
    files = {f"{row}.png": png(row) for row in range(ROWS)}
    photos = [name if row % 4 else "" for row, name in enumerate(files)]
    texts = ["" if row % 4 == 1 else "two words" for row in range(ROWS)]
    numbers = ["" if row % 8 == 2 else row for row in range(ROWS)]
    modalities = (
        '[modalities.p]\nkind = "image"\nfile = "photo"\n'
        '[modalities.w]\nkind = "tokens"\ncolumn = "text"\nvocabulary = 9\n'
        '[modalities.v]\nkind = "vector"\ncolumn = "number"\n'
    )
    rows = {"photo": photos, "text": texts, "number": numbers, "label": labels()}
    source = made(lay(card(modalities), {"t.csv": rows, **files}))
    present = column(source, "present")
    assert present.sum(0).tolist() == [12, 12, 14]
    values = column(source, "v")[present[:, 2], 0].tolist()
    assert sorted(values) == sorted(number for number in numbers if number != "")
    assert not column(source, "p")[~present[:, 0]].any()
    validate(source, "mine")


def test_nulls_and_empty_lists_are_absent_modalities(lay, made):
    table = {
        "v": [None if row % 4 == 0 else [1.0, 2.0] for row in range(ROWS)],
        "q": [[] if row % 4 == 1 else [[1.0], [2.0]] for row in range(ROWS)],
        "label": labels(),
    }
    modalities = '[modalities.v]\nkind = "vector"\ncolumn = "v"\n[modalities.q]\nkind = "sequence"\ncolumn = "q"\n'
    source = made(lay(card(modalities, "t.parquet"), {"t.parquet": table}))
    assert column(source, "present").sum(0).tolist() == [12, 12]
    validate(source, "mine")


@pytest.mark.parametrize(
    ("kind", "top", "columns", "target"),
    [
        ("classification", "outputs = 2", {"y": [0, 1] * 8}, [0, 1] * 8),
        ("classification", 'classes = ["3", "7"]', {"y": [3, 7] * 8}, [0, 1] * 8),
        ("classification", 'classes = ["no", "yes"]', {"y": [0, 1] * 8}, [0, 1] * 8),
        ("regression", "", {"y": [0.5, -1] * 8}, [[0.5], [-1]] * 8),
        ("anomaly", "", {"y": ["true", "false"] * 8}, [[1], [0]] * 8),
        ("verification", "", {"y": [0, 1] * 8}, [[0], [1]] * 8),
    ],
)
def test_targets_of_every_kind(lay, made, kind, top, columns, target):
    head = f'name = "mine"\ntarget = "y"\n[task]\nkind = "{kind}"\n{top}\n'
    split = 'column = "part"\n'
    rows = {"a": range(ROWS), "part": ["train"] * 8 + ["validation"] * 4 + ["test"] * 4, **columns}
    source = made(lay(card('[modalities.a]\nkind = "vector"\ncolumn = "a"\n', top=head, split=split), {"t.csv": rows}))
    assert np.allclose(column(source, "target"), np.array(target))
    validate(source, "mine")


@pytest.mark.parametrize("several", [True, False])
def test_labels_and_values_of_several_columns_or_lists(lay, made, several):
    values = np.random.default_rng(0).integers(0, 2, (ROWS, 3))
    table = {"a": list(range(ROWS))}
    table.update({f"y{k}": values[:, k].tolist() for k in range(3)} if several else {"y": values.tolist()})
    target = '["y0", "y1", "y2"]' if several else '"y"'
    head = f'name = "mine"\ntarget = {target}\n[task]\nkind = "multilabel"\noutputs = 3\n'
    text = card('[modalities.a]\nkind = "vector"\ncolumn = "a"\n', "t.parquet", head)
    source = made(lay(text, {"t.parquet": table}))
    order = column(source, "a")[:, 0].astype(int)
    assert np.array_equal(column(source, "target"), values[order])


def test_label_names_in_lists(lay, made):
    table = {"a": list(range(ROWS)), "y": [["red"], [], ["blue", "red"], ["blue"]] * 4}
    head = 'name = "mine"\ntarget = "y"\n[task]\nkind = "multilabel"\nclasses = ["red", "blue"]\n'
    text = card('[modalities.a]\nkind = "vector"\ncolumn = "a"\n', "t.parquet", head)
    source = made(lay(text, {"t.parquet": table}))
    wanted = np.array([[1, 0], [0, 0], [1, 1], [0, 1]])[column(source, "a")[:, 0].astype(int) % 4]
    assert np.array_equal(column(source, "target"), wanted)


def test_retrieval_has_no_target(lay, made):
    head = 'name = "mine"\ngroup = "g"\n[task]\nkind = "retrieval"\n'
    rows = {"a": range(ROWS), "b": range(ROWS), "g": [str(row // 2) for row in range(ROWS)]}
    modalities = '[modalities.a]\nkind = "vector"\ncolumn = "a"\n[modalities.b]\nkind = "vector"\ncolumn = "b"\n'
    source = made(lay(card(modalities, top=head), {"t.csv": rows}))
    assert "target" not in source.splits["train"].column_names
    assert (column(source, "group") == column(source, "a")[:, 0] // 2).all()


def test_groups_are_numbered_alike_in_all_files(lay, made, three):
    tables = three()
    for name, groups in zip(tables, (["x", "y", "x", "y"], ["a", "a", "b", "b"], ["n", "n", "m", "m"]), strict=True):
        tables[name]["g"] = groups
    files = '[split]\ntrain = "train.csv"\nvalidation = "validation.csv"\ntest = "test.csv"\n'
    head = 'group = "g"\n' + CATS
    source = made(lay(head + files + '[modalities.a]\nkind = "vector"\ncolumn = "a"\n', tables))
    assert [split["group"] for split in source.splits.values()] == [[4, 5, 4, 5], [0, 0, 1, 1], [3, 3, 2, 2]]


def test_two_readings_give_the_same_content(lay, made):
    from mmbench.data.cache import fingerprint

    files = {f"{row}.png": png(row) for row in range(ROWS)} | {f"{row}.wav": wav() for row in range(ROWS)}
    modalities = (
        '[modalities.p]\nkind = "image"\nfile = "photo"\nsize = [3, 3]\n'
        '[modalities.s]\nkind = "spectrogram"\nfile = "sound"\n'
    )
    rows = {"photo": list(files)[:ROWS], "sound": list(files)[ROWS:], "label": labels()}
    folder = lay(card(modalities), {"t.csv": rows, **files})
    assert fingerprint(made(folder).splits) == fingerprint(made(folder).splits)
