"""A card file says what is wrong with it, where, and what was meant."""

import pytest

from mmbench.core.errors import MmbenchError
from mmbench.data.own.card import read_card

GOOD = """
name = "mine"
target = "label"
[task]
kind = "classification"
classes = ["cat", "dog"]
[split]
train = "train.csv"
validation = "validation.csv"
test = "test.csv"
[modalities.photo]
kind = "image"
file = "photo"
size = [8, 6]
channels = 1
[modalities.words]
kind = "tokens"
column = "caption"
vocabulary = 100
length = 7
"""


@pytest.fixture
def read(tmp_path):
    def of(text):
        path = tmp_path / "mmbench.toml"
        path.write_text(text)
        return read_card(path)

    return of


def test_what_a_card_says_is_read(read):
    card = read(GOOD)
    assert (card.name, card.kind, card.outputs, card.classes) == ("mine", "classification", 2, ("cat", "dog"))
    assert [m.name for m in card.modalities] == ["photo", "words"]
    assert card.task().modality("photo").shape == (1, 8, 6)
    assert card.task().metric == "accuracy"
    assert card.columns == ("photo", "caption", "label")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "mine"', 'nmae = "mine"', "there is no key 'nmae'; did you mean name"),
        ('name = "mine"', "", "name is missing"),
        ('name = "mine"', "name = 3", "name is text in quotes, not 3"),
        ('name = "mine"', 'name = "<name>"', "name still is the placeholder <name>"),
        ('name = "mine"', 'name = "a/b"', "use letters, digits"),
        ('name = "mine"', 'name = "mine"\nkind = "regression"', r"'kind' stands in the section \[task\]"),
        ('target = "label"', "", "target is missing"),
        ('target = "label"', 'target = ["a", "b"]', "target has 2 columns"),
        ('kind = "classification"', 'kind = "clasification"', "did you mean classification"),
        ('classes = ["cat", "dog"]', "", "say which classes there are"),
        ('classes = ["cat", "dog"]', 'classes = ["cat", "cat"]', "'cat' twice"),
        ('classes = ["cat", "dog"]', 'classes = ["cat"]', "at least 2 outputs"),
        ('classes = ["cat", "dog"]', 'classes = ["cat", "dog"]\noutputs = 3', "outputs is 3, and there are 2 classes"),
        ('classes = ["cat", "dog"]', 'classes = ["cat", "dog"]\nmetric = "acuracy"', "did you mean accuracy"),
        ('kind = "image"', 'kind = "picture"', r"\[modalities.photo\]: kind 'picture' is unknown"),
        ("size = [8, 6]", "size = [8]", r"size is \[height, width\]"),
        ("size = [8, 6]", "size = [8, -6]", "whole numbers from 1 on"),
        ("size = [8, 6]", "sizes = [8, 6]", "there is no key 'sizes'; did you mean size"),
        ("size = [8, 6]", "length = 4", "'length' goes with sequence, tokens alone"),
        ("channels = 1", "channels = 2", "channels is 1"),
        ("channels = 1", 'column = "x"', "one of them"),
        ('file = "photo"', "", "say where its values are"),
        ("vocabulary = 100", "", "vocabulary is missing"),
        ("vocabulary = 100", "vocabulary = 2", "from 3 on"),
        ('column = "caption"', 'file = "caption"', "a tokens is no file"),
        ("[modalities.photo]", "[modalities.target]", "modality name 'target'"),
        ("[modalities.photo]", "[modality.photo]", "there is no key 'modality'; did you mean modalities"),
        ('test = "test.csv"', "", r"\[split\]: test is missing"),
        ('test = "test.csv"', 'test = "train.csv"', "'train.csv' is both train and test"),
        ('test = "test.csv"', "test = 1.5", "test is a share between 0 and 1"),
        ('validation = "validation.csv"\ntest = "test.csv"', "validation = 0.5\ntest = 0.5", "leave some for train"),
        ('test = "test.csv"', 'test = "test.csv"\nseeds = 1', "did you mean seed"),
        ('test = "test.csv"', 'test = "test.csv"\ncolumn = "split"', "write table"),
        ('test = "test.csv"', 'test = "test.csv"\ntable = "all.csv"', "table and train are both given"),
    ],
)
def test_what_is_wrong_is_told(read, old, new, told):
    assert old in GOOD
    with pytest.raises(MmbenchError, match=told) as raised:
        read(GOOD.replace(old, new))
    assert "mmbench.toml" in str(raised.value)


def test_toml_that_cannot_be_read_is_told_with_its_line(read):
    with pytest.raises(MmbenchError, match=r"mmbench.toml is no valid TOML: .*line 3"):
        read('name = "mine"\n\nsummary = no quotes\n')


def test_a_file_that_is_not_text_is_told(tmp_path):
    (tmp_path / "mmbench.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(MmbenchError, match="is no valid TOML"):
        read_card(tmp_path / "mmbench.toml")


def test_a_missing_card_says_what_to_do(tmp_path):
    with pytest.raises(MmbenchError, match="mmbench data init"):
        read_card(tmp_path / "mmbench.toml")


def test_splits_are_needed_but_on_the_hub(tmp_path):
    path = tmp_path / "mmbench.toml"
    path.write_text(GOOD.replace('train = "train.csv"\nvalidation = "validation.csv"\ntest = "test.csv"\n', ""))
    assert read_card(path, on_hub=True).splitting.tables["validation"] == ("validation",)
    with pytest.raises(MmbenchError, match=r"\[split\]: it is missing"):
        read_card(path)


@pytest.mark.parametrize(
    ("kind", "extra", "target", "outputs"),
    [
        ("regression", "", '"y"', 1),
        ("regression", "", '["y", "z"]', 2),
        ("regression", "outputs = 4", '"y"', 4),
        ("multilabel", 'classes = ["p", "q", "r"]', '"y"', 3),
        ("anomaly", "", '"y"', 1),
        ("verification", "", '"y"', 1),
        ("classification", "outputs = 5", '"y"', 5),
    ],
)
def test_every_kind_knows_its_outputs(read, kind, extra, target, outputs):
    text = GOOD.replace('target = "label"', f"target = {target}").replace('classes = ["cat", "dog"]', extra)
    assert read(text.replace('kind = "classification"', f'kind = "{kind}"')).outputs == outputs


def test_retrieval_has_no_target(read):
    text = GOOD.replace('kind = "classification"\nclasses = ["cat", "dog"]', 'kind = "retrieval"')
    assert read(text.replace('target = "label"', "")).outputs == 0
    with pytest.raises(MmbenchError, match="retrieval has no target"):
        read(text)
