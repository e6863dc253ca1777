"""``mmbench data init`` writes a card that is right once it is filled in, and nothing over anything."""

import io
import re

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from scipy.io import wavfile

from mmbench.cli import main
from mmbench.core.errors import MmbenchError
from mmbench.data.own import card as cards
from mmbench.data.own import modality as modalities
from mmbench.data.own import splitting
from mmbench.data.own.card import read_card
from mmbench.data.own.template import card_text
from mmbench.data.validation import validate

FILLED = {
    "<one line: what is predicted from what>": "a summary",
    "<label>": "label",
    "<first class>": "cat",
    "<second class>": "dog",
    "<train.csv>": "train.csv",
    "<validation.csv>": "validation.csv",
    "<test.csv>": "test.csv",
    "<photo>": "photo",
    "<age>": "age",
    "<weight>": "weight",
}
THREE_FILES = '[split]\ntrain = "train.csv"\nvalidation = "validation.csv"\ntest = "test.csv"\n'


def filled(name="mine"):
    text = card_text(name)
    for placeholder, value in FILLED.items():
        assert placeholder in text
        text = text.replace(placeholder, value)
    return text


def uncommented(text, start):
    """The text with the example that begins with ``start`` in use."""
    lines = text.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(f"#: {start}"))
    for number in range(first, len(lines)):
        if not lines[number].startswith("#: "):
            break
        lines[number] = lines[number].removeprefix("#: ")
    return "\n".join(lines) + "\n"


@pytest.fixture
def read(tmp_path):
    def of(text):
        (tmp_path / "mmbench.toml").write_text(text)
        return read_card(tmp_path / "mmbench.toml")

    return of


def png(seed):
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (9, 9, 3), dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def wav():
    buffer = io.BytesIO()
    wavfile.write(buffer, 16000, np.sin(np.arange(8000)).astype(np.float32))
    return buffer.getvalue()


def tables():
    rows = {"photo": ["0.png", "1.png"], "age": [1, 2], "weight": [3.5, 4], "label": ["cat", "dog"]}
    return {f"{name}.csv": rows for name in ("train", "validation", "test")}


def test_the_command_makes_the_folder_and_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["data", "init", "deep/my data"])
    assert done.exit_code == 0, done.output
    path = tmp_path / "deep" / "my data" / "mmbench.toml"
    assert 'name = "my-data"' in path.read_text()
    assert "mmbench run -d './deep/my data'" in done.output
    before = path.read_text()
    path.write_text(before + "# mine\n")
    again = CliRunner().invoke(main, ["data", "init", "deep/my data"])
    assert again.exit_code == 2
    assert "is there already, and is left as it is" in " ".join(again.output.split())
    assert path.read_text() == before + "# mine\n"


def test_it_may_be_the_folder_where_one_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "mmbench run -d . " in CliRunner().invoke(main, ["data", "init", "."]).output
    assert (tmp_path / "mmbench.toml").exists()


def test_a_file_in_the_way_is_left(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("x")
    assert CliRunner().invoke(main, ["data", "init", "taken"]).exit_code == 2
    assert (tmp_path / "taken").read_text() == "x"


def test_unfilled_it_says_what_to_fill_in(read):
    with pytest.raises(MmbenchError, match="still is the placeholder <"):
        read(card_text("mine"))


def test_filled_in_it_makes_a_dataset(lay, made):
    folder = lay(filled(), {**tables(), "0.png": png(0), "1.png": png(1)})
    source = made(folder)
    assert source.task.modality("photo").shape == (3, 64, 64)
    assert source.task.modality("measurements").shape == (2,)
    validate(source, "mine")


@pytest.mark.parametrize(
    "start", ["group", "id", "metric", "[modalities.sound]", "[modalities.motion]", "[modalities.caption]"]
)
def test_every_example_may_be_used(read, start):
    card = read(uncommented(filled(), start))
    if start.startswith("[modalities."):
        assert start[len("[modalities.") : -1] in card.task().names


@pytest.mark.parametrize("start", ['table = "samples.csv"', 'table = ["samples.csv", "features.npz"]'])
def test_every_way_to_split_may_be_used(read, start):
    lines = THREE_FILES.splitlines()[1:]
    text = "\n".join(line for line in filled().splitlines() if line not in lines)
    assert list(read(uncommented(text, start)).splitting.tables) == ["table"]


def test_several_targets_may_be_used(read):
    text = filled().replace('target = "label"\n', "").replace('kind = "classification"', 'kind = "regression"')
    text = text.replace('classes = ["cat", "dog"]\n', "")
    assert read(uncommented(text, "target")).outputs == 2


def test_all_examples_together_make_a_dataset(lay, made):
    text = filled()
    for start in ("[modalities.sound]", "[modalities.caption]"):
        text = uncommented(text, start)
    table = {
        name: {**rows, "recording": ["0.wav", ""], "caption": ["A cat.", "a dog"]} for name, rows in tables().items()
    }
    source = made(lay(text, {**table, "0.png": png(0), "1.png": png(1), "0.wav": wav()}))
    assert source.task.modality("sound").shape == (1, 40, 198)
    assert source.task.modality("caption").shape == (50,)
    validate(source, "mine")


def test_every_field_is_explained():
    text = card_text("mine")
    keys = {*cards.KEYS, *cards.TASK_KEYS, *splitting.KEYS, *modalities.COMMON}
    keys |= {key for kind in modalities.OF_KIND.values() for key in kind}
    assert sorted(key for key in keys if not re.search(rf"\b{key}\b( =|\]|\.)", text)) == []
