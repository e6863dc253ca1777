"""The real datasets, made from the files of MMBENCH_DATA: what their cards say holds."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmbench.core.errors import MmbenchError
from mmbench.data.cache import prepare
from mmbench.data.check.check import look_into, not_found, not_on_card
from mmbench.data.columns import SPLITS, blocks
from mmbench.data.locate import MissingFilesError
from mmbench.data.splits import load_splits
from mmbench.registry import installed, load

CARDS = {name: card for name, card in installed().datasets.items() if card.collections}
needs_data = pytest.mark.skipif("MMBENCH_DATA" not in os.environ, reason="MMBENCH_DATA names no folder of real data")


def column(name, part, wanted, **parameters):
    """One column of a split."""
    import datasets

    folder = prepare(CARDS[name], parameters).folder
    stored = datasets.load_from_disk(str(folder / "splits"))[part]
    return np.concatenate([block[wanted] for block in blocks(stored, [wanted])])


def test_there_is_a_card_for_each_dataset_of_the_suite():
    assert set(CARDS) == {
        "avmnist",
        "handwritten",
        "hapt",
        "hapt-auth",
        "houses",
        "mosi",
        "mosi-dialogue",
        "rosmap",
        "spoken-digits",
        "utd-mhad",
        "wikipedia",
    }
    for card in CARDS.values():
        assert card.licence, card.name
        assert card.citation, card.name
        assert card.source, card.name
        assert len(card.content) == 64, card.name


@needs_data
@pytest.mark.parametrize("name", sorted(CARDS))
def test_content_and_findings_are_those_of_the_card(name):
    card = CARDS[name]
    prepared = prepare(card, {})  # refuses another content
    assert tuple(prepared.sizes[part] for part in SPLITS) == card.sizes
    found = look_into(prepared)
    assert not not_on_card(card, found.warnings)
    assert not not_found(card, found)


@needs_data
def test_other_content_than_the_pinned_one_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path))
    card = replace(CARDS["rosmap"], content="0" * 64)
    with pytest.raises(MmbenchError, match="its card says 0000"):
        prepare(card, {})
    assert not list(tmp_path.rglob("prepared.json"))


@needs_data
def test_altered_files_are_refused_whatever_the_parameters(tmp_path, monkeypatch):
    with np.load(Path(os.environ["MMBENCH_DATA"]) / "rosmap" / "rosmap.npz", allow_pickle=False) as stored:
        arrays = {name: stored[name].copy() for name in stored.files}
    arrays["mrna"][7, 7] += 1
    (tmp_path / "rosmap").mkdir()
    np.savez(tmp_path / "rosmap" / "rosmap.npz", **arrays)
    monkeypatch.setenv("MMBENCH_DATA", str(tmp_path))
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path / "cache"))
    with pytest.raises(MmbenchError, match=r"rosmap\.npz holds other content"):
        prepare(CARDS["rosmap"], {"seed": 3})


@pytest.mark.parametrize("name", sorted(CARDS))
def test_without_its_files_a_dataset_says_how_to_get_them(name, tmp_path, monkeypatch):
    monkeypatch.setenv("MMBENCH_DATA", str(tmp_path))
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path))
    with pytest.raises(MissingFilesError, match="mmbench data fetch"):
        load(CARDS[name])()


@needs_data
def test_a_damaged_file_is_told(tmp_path, monkeypatch):
    (tmp_path / "rosmap").mkdir()
    (tmp_path / "rosmap" / "other.npz").write_bytes(b"")
    monkeypatch.setenv("MMBENCH_DATA", str(tmp_path))
    with pytest.raises(MmbenchError, match=r"rosmap\.npz is missing; `mmbench data verify rosmap`"):
        load(CARDS["rosmap"])()


@needs_data
def test_recordings_of_avmnist_are_in_one_split_each():
    groups = [set(column("avmnist", part, "group").tolist()) for part in SPLITS]
    assert [len(group) for group in groups] == [2400, 300, 300]
    assert len(set.union(*groups)) == 3000


@needs_data
def test_bytes_stay_bytes_until_a_batch_is_made():
    prepared = prepare(CARDS["avmnist"], {})
    train = load_splits(prepared.task, prepared.folder).train
    assert {name: value.dtype.itemsize for name, value in train.inputs.values.items()} == {"image": 1, "audio": 1}
    some = train.part(slice(0, 500)).unpacked().inputs.values["audio"]
    assert abs(float(some.mean())) < 0.2
    assert 0.8 < float(some.std()) < 1.2


@needs_data
def test_published_and_random_splits_of_handwritten_differ():
    published = column("handwritten", "test", "pixels")
    random = column("handwritten", "test", "pixels", split="random", seed=1)
    other = column("handwritten", "test", "pixels", split="random", seed=2)
    assert published.shape == random.shape == other.shape == (400, 240)
    assert (random != other).any()
    assert (np.bincount(column("handwritten", "test", "target", split="random", seed=1)) == 40).all()


@needs_data
def test_speakers_can_be_kept_apart():
    groups = [set(column("spoken-digits", part, "group", split="speakers").tolist()) for part in SPLITS]
    assert [len(group) for group in groups] == [3, 1, 2]
    assert len(set.union(*groups)) == 6


@needs_data
def test_a_dialogue_marks_the_utterance_that_is_judged():
    alone, together = column("mosi", "test", "text"), column("mosi-dialogue", "test", "text").reshape(752, 9, 101)
    marked = together[..., -1]
    assert (marked.sum(1) == 1).all()
    np.testing.assert_array_equal(together[marked == 1][:, :-1], alone)
    length = column("mosi-dialogue", "test", "text:length")
    assert length.min() < 9 == length.max()
    beyond = np.arange(9) >= length[:, None]
    assert not together[beyond].any()


@needs_data
def test_transcripts_are_words_of_train():
    prepared = prepare(CARDS["mosi"], {"transcript": True})
    words = prepared.task.modality("transcript")
    ids = column("mosi", "train", "transcript", transcript=True)
    assert words.kind == "tokens"
    assert ids.max() < words.vocabulary == 1000
    assert len(np.unique(ids)) > 990  # padding, unknown, and words, of which some stand beyond the 40th place
    assert not (ids[np.arange(40) >= column("mosi", "train", "transcript:length", transcript=True)[:, None]]).any()
    assert prepare(CARDS["mosi"], {"transcript": True}).fingerprint != CARDS["mosi"].content


@needs_data
def test_enrolled_and_probe_windows_are_apart_in_time():
    train, test = (column("hapt-auth", part, "accelerometer") for part in ("train", "test"))
    seen = {row.tobytes() for row in train}
    assert not any(row.tobytes() in seen for row in test)
    people = {part: set(column("hapt-auth", part, "group").tolist()) for part in SPLITS}
    registered = {part: column("hapt-auth", part, "target")[:, 0] == 1 for part in SPLITS}
    for part in SPLITS:
        assert set(column("hapt-auth", part, "group")[registered[part]].tolist()) == {1, 2, 3, 4, 5, 6}
    strangers = [people[part] - {1, 2, 3, 4, 5, 6} for part in SPLITS]
    assert not strangers[0] & strangers[1]
    assert not (strangers[0] | strangers[1]) & strangers[2]


@needs_data
def test_the_clocks_of_an_action_differ():
    prepared = prepare(CARDS["utd-mhad"], {})
    assert [m.rate for m in prepared.task.modalities] == [50.0, 30.0, 1.0]
    inertial, skeleton = (column("utd-mhad", "test", f"{name}:length") for name in ("inertial", "skeleton"))
    seconds = inertial / 50, skeleton / 30
    assert np.corrcoef(*seconds)[0, 1] > 0.9  # the same clips, told by other clocks
    assert inertial.max() == 326
    assert skeleton.min() == 41


@needs_data
def test_the_price_is_a_logarithm_and_images_shrink_by_blocks():
    target = column("houses", "train", "target")
    assert 22_000 <= np.exp(target).min() < np.exp(target).max() <= 5_858_001
    small, large = column("houses", "test", "kitchen"), column("houses", "test", "kitchen", side=96)
    blocks_of_3 = large.reshape(134, 3, 32, 3, 32, 3).mean((3, 5))
    np.testing.assert_allclose(small.reshape(134, 3, 32, 32), blocks_of_3, atol=0.51)
