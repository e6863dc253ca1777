"""``hf:`` reads what the Hub's library reads: folders of Parquet, images and sounds, without running code."""

import io

import datasets
import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile

from mmbench.core.errors import MmbenchError
from mmbench.core.spec import parse_spec
from mmbench.data.own.place import dataset_at
from mmbench.data.validation import validate

TASK = 'name = "hubbed"\ntarget = "label"\n[task]\nkind = "classification"\nclasses = ["cat", "dog"]\n'
FRACTIONS = '[split]\ntable = "train"\nvalidation = 0.25\ntest = 0.25\n'
ROWS = 12
SPLITS = {"train": 6, "validation": 4, "test": 4}


def picture(seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue(), pixels


def sound(seconds=0.1):
    buffer = io.BytesIO()
    wavfile.write(buffer, 8000, np.sin(np.arange(round(8000 * seconds))).astype(np.float32))
    return buffer.getvalue()


@pytest.fixture
def parquet(folder):
    """A folder as ``push_to_hub`` would leave it: one Parquet file a split, images and sounds inside."""
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "audio": {"bytes": datasets.Value("binary"), "path": datasets.Value("string")},
            "text": datasets.Value("string"),
            "words": datasets.Sequence(datasets.Value("string")),
            "vector": datasets.Sequence(datasets.Value("float32")),
            "grid": datasets.Array2D((2, 3), "float32"),
            "label": datasets.ClassLabel(names=["cat", "dog"]),
        }
    )
    (folder / "data").mkdir()
    for name, rows in SPLITS.items():
        made = datasets.Dataset.from_dict(
            {
                "image": [{"bytes": picture(row)[0], "path": None} for row in range(rows)],
                "audio": [None if row == 1 else {"bytes": sound(), "path": None} for row in range(rows)],
                "text": [f"a {name} sentence"] * rows,
                "words": [["One", "two"]] * rows,
                "vector": [[row, 1.0] for row in range(rows)],
                "grid": [np.full((2, 3), row) for row in range(rows)],
                "label": [row % 2 for row in range(rows)],
            },
            features=features,
        )
        made = made.cast_column("audio", datasets.Audio(decode=False))  # which to encode takes torchcodec
        made.to_parquet(folder / "data" / f"{name}-00000-of-00001.parquet")
    return folder


MODALITIES = """
[modalities.photo]
kind = "image"
column = "image"
[modalities.voice]
kind = "spectrogram"
column = "audio"
mels = 20
[modalities.text]
kind = "tokens"
column = "text"
vocabulary = 9
[modalities.words]
kind = "tokens"
column = "words"
vocabulary = 9
[modalities.vector]
kind = "vector"
column = "vector"
[modalities.grid]
kind = "sequence"
column = "grid"
"""


def test_parquet_files_with_everything(parquet, made):
    (parquet / "mmbench.toml").write_text(TASK + MODALITIES)
    source = made(f"hf:{parquet}")
    assert {name: len(split) for name, split in source.splits.items()} == SPLITS
    shapes = {modality.name: modality.shape for modality in source.task.modalities}
    assert shapes == {
        "photo": (3, 5, 6),
        "voice": (1, 20, 8),
        "text": (3,),
        "words": (2,),
        "vector": (2,),
        "grid": (2, 3),
    }
    test = source.splits["test"]
    assert np.array_equal(np.array(test["photo"][2]).reshape(3, 5, 6), picture(2)[1].transpose(2, 0, 1))
    assert test["present"][1] == [True, False, True, True, True, True]
    assert test["target"] == [0, 1, 0, 1]
    assert test["text"][0] == [2, 1, 3]  # "test" is in no text of train: unknown
    assert test["grid"][3] == [3.0] * 6
    validate(source, "hubbed")


def test_a_folder_of_images_with_metadata(folder, made):
    lines = ["file_name,age,label"]
    (folder / "train").mkdir()
    for row in range(ROWS):
        (folder / "train" / f"{row}.png").write_bytes(picture(row)[0])
        lines.append(f"{row}.png,{row},{'cat' if row % 2 == 0 else 'dog'}")
    (folder / "train" / "metadata.csv").write_text("\n".join(lines) + "\n")
    text = '[modalities.photo]\nkind = "image"\ncolumn = "image"\n[modalities.age]\nkind = "vector"\ncolumn = "age"\n'
    (folder / "mmbench.toml").write_text(TASK + FRACTIONS + text)
    source = made(f"hf:{folder}")
    assert {name: len(split) for name, split in source.splits.items()} == {"train": 6, "validation": 3, "test": 3}
    for split in source.splits.values():
        for row in split:
            age = int(row["age"][0])
            assert np.array_equal(np.array(row["photo"]).reshape(3, 5, 6), picture(age)[1].transpose(2, 0, 1))
            assert row["target"] == age % 2


def test_a_folder_of_sounds_with_metadata(folder, made):
    lines = ["file_name,label"]
    (folder / "train").mkdir()
    for row in range(ROWS):
        (folder / "train" / f"{row}.wav").write_bytes(sound(0.1 + 0.01 * row))
        lines.append(f"{row}.wav,{'cat' if row % 2 == 0 else 'dog'}")
    (folder / "train" / "metadata.csv").write_text("\n".join(lines) + "\n")
    (folder / "mmbench.toml").write_text(TASK + FRACTIONS + '[modalities.v]\nkind = "sequence"\ncolumn = "audio"\n')
    source = made(f"hf:{folder}")
    assert source.task.modality("v").shape == (1 + (1680 - 200) // 80, 40)
    validate(source, "hubbed")


def test_the_card_may_lie_elsewhere(parquet, made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.toml").write_text(TASK + '[modalities.v]\nkind = "vector"\ncolumn = "vector"\n')
    assert made("hf:./mydata[card=my.toml]").task.names == ("v",)
    with pytest.raises(MmbenchError, match=r"there is no file .*mmbench\.toml"):
        made("hf:./mydata")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('["cat", "dog"]', '["dog", "cat"]', r"classes are \['dog', 'cat'\], and in .* they are \['cat', 'dog'\]"),
        ('column = "vector"', 'column = "vectr"', "there is no column 'vectr'; did you mean vector"),
        ("[modalities", '[split]\ntest = "tset"\n[modalities', "there is no split 'tset' .* did you mean test"),
        ("[modalities", '[split]\ntrain = ["train", "x"]\n[modalities', "cannot stand side by side"),
        ('kind = "vector"\ncolumn = "vector"', 'kind = "vector"\ncolumn = "image"', "holds files, and a vector"),
        ('kind = "vector"\ncolumn = "vector"', 'kind = "image"\ncolumn = "audio"', "no image that Pillow can read"),
        ('kind = "vector"\ncolumn = "vector"', 'kind = "spectrogram"\ncolumn = "image"', "no WAV file"),
    ],
)
def test_what_does_not_fit_is_told(parquet, made, old, new, told):
    text = TASK + '[modalities.v]\nkind = "vector"\ncolumn = "vector"\n'
    assert old in text
    (parquet / "mmbench.toml").write_text(text.replace(old, new, 1))
    with pytest.raises(MmbenchError, match=told):
        made(f"hf:{parquet}")


def test_a_config_that_there_is_not_is_told(parquet, made):
    (parquet / "mmbench.toml").write_text(TASK + MODALITIES)
    with pytest.raises(MmbenchError, match=r"cannot be loaded: .*nowhere"):
        made(f"hf:{parquet}[config=nowhere]")


def test_scripts_are_never_run(folder, made):
    (folder / f"{folder.name}.py").write_text("raise SystemExit('this ran')\n")
    (folder / "mmbench.toml").write_text(TASK + MODALITIES)
    with pytest.raises(MmbenchError, match="cannot be loaded"):
        made(f"hf:{folder}")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hf:./nowhere", "there is no folder ./nowhere"),
        ("hf:a/b/c", "write hf:ORGANISATION/NAME"),
        ("hf:org/name[split=x]", "there is no parameter 'split'"),
        ("hf:.[revision=main]", "a folder has no revisions"),
    ],
)
def test_places_that_cannot_be(text, told):
    with pytest.raises(MmbenchError, match=told):
        dataset_at(parse_spec(text))
