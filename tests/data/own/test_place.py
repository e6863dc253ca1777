"""What is typed after -d: which folder is meant, and when it has changed."""

import os
from pathlib import Path

import pytest

from mmbench.core.cards import DatasetCard
from mmbench.core.errors import MmbenchError
from mmbench.core.modality import Modality
from mmbench.core.spec import is_place, parse_spec
from mmbench.core.task import Task
from mmbench.data.own.place import dataset_at
from mmbench.registry import Registry
from mmbench.sweep.choices import choose_dataset

CARD = """
name = "mine"
summary = "a thing"
target = "label"
group = "who"
licence = "CC0"
[task]
kind = "classification"
classes = ["cat", "dog"]
[split]
table = "t.csv"
validation = 0.2
test = 0.2
[modalities.photo]
kind = "image"
file = "photo"
"""


@pytest.fixture
def place(lay, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return lay(CARD, {"t.csv": {"label": ["cat"], "photo": ["x.png"], "who": ["ann"]}, "x.png": b"1", "notes.md": b"1"})


@pytest.mark.parametrize("text", ["./mydata", "../m", "/m", "~/m", ".", "..", "~", "m/x.toml", "hf:org/name", "hf:./m"])
def test_places(text):
    assert is_place(parse_spec(text).name)


@pytest.mark.parametrize("text", ["late", "avdigits", "some-set.2", "org/name"])
def test_names(text):
    assert not is_place(parse_spec(text).name)


def test_a_path_may_have_spaces_and_brackets_still_end_it():
    assert parse_spec("./my data").name == "./my data"
    assert parse_spec("hf:../my data[config=a b]").parameters == {"config": "a b"}


def test_every_way_to_name_a_folder_means_the_same(place, monkeypatch):
    cards = [dataset_at(parse_spec(text))[0] for text in ("./mydata", str(place), f"{place}/mmbench.toml")]
    monkeypatch.setenv("HOME", str(place.parent))
    cards.append(dataset_at(parse_spec("~/mydata"))[0])
    monkeypatch.chdir(place)
    cards += [dataset_at(parse_spec(text))[0] for text in (".", "./mmbench.toml", "mmbench.toml")]
    assert {card.preset["stamp"] for card in cards} == {cards[0].preset["stamp"]}
    assert (cards[0].name, cards[0].summary, cards[0].group, cards[0].licence) == ("mine", "a thing", "who", "CC0")


def test_a_change_of_the_data_is_noticed(place):
    def stamp():
        return dataset_at(parse_spec("./mydata"))[0].preset["stamp"]

    seen = [stamp()]

    def noticed():
        seen.append(stamp())
        return seen[-1] not in seen[:-1]

    (place / "x.png").write_bytes(b"22")
    assert noticed()
    os.utime(place / "x.png", ns=(1, 1))
    assert noticed()
    (place / "t.csv").write_text("label,photo,who\n")
    assert noticed()
    (place / "mmbench.toml").write_text(CARD.replace("0.2", "0.3"))
    assert noticed()
    (place / "y.png").write_bytes(b"")
    assert noticed()


def test_what_mmbench_leaves_in_the_folder_is_no_change(place):
    before = dataset_at(parse_spec("./mydata"))[0].preset
    for name in ("results/quick/mine/late/seed0-1.json", "results/quick/mine/late/seed0-1.npz", "boards/README.md"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("")
    assert dataset_at(parse_spec("./mydata"))[0].preset == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("./nowhere", "there is no folder ./nowhere; `mmbench data init ./nowhere`"),
        ("./mydata[seed=1]", "take no parameters"),
        ("./mydata/other.toml", "there is no file"),
        ("~nobody-of-that-name/x", "no such home folder"),
    ],
)
def test_places_that_are_not_there(place, text, told):
    with pytest.raises(MmbenchError, match=told):
        dataset_at(parse_spec(text))


def test_a_name_that_is_taken_is_refused(place):
    task = Task("classification", 2, (Modality("a", "vector", (1,)),))
    registry = Registry(datasets={"mine": DatasetCard(name="mine", summary="", build="a:b", task=task)})
    with pytest.raises(MmbenchError, match="'mine' is that of an installed dataset"):
        choose_dataset(registry, "./mydata")
    assert choose_dataset(Registry(), "./mydata").card.name == "mine"


def test_a_folder_without_its_dot_is_told(place):
    with pytest.raises(MmbenchError, match=r"write \./mydata"):
        choose_dataset(Registry(), "mydata")
    assert Path("mydata").is_dir()
