"""Every planted leak is found, and a clean dataset gives no warning."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from mmbench.core.modality import Modality
from mmbench.core.task import Task

COLUMNS = ("left", "right", "motion", "words")


def copy(parts, to, of, rows, columns=COLUMNS):
    """Rows of one split, over the last ones of another."""
    for column in columns:
        parts[of][column][-len(rows) :] = parts[to][column][rows]


def test_a_clean_dataset_gives_no_warning(clean, checked):
    found = checked(clean.task, clean.parts)
    assert found.warnings == found.leaks == ()
    assert found.rows == {"train": 200, "validation": 60, "test": 80}
    assert found.groups.shared == {"train/test": 0, "train/validation": 0, "validation/test": 0}
    assert not any(each.rows for each in (*found.repeats, *found.near, *found.runs))


def test_the_same_dataset_has_the_same_findings(clean, checked):
    copy(clean.parts, "train", "test", [3])
    assert asdict(checked(clean.task, clean.parts)) == asdict(checked(clean.task, clean.parts))


@pytest.mark.parametrize(("to", "of"), [("train", "test"), ("train", "validation"), ("validation", "test")])
def test_an_equal_row_of_another_split_is_a_leak(clean, checked, to, of):
    copy(clean.parts, to, of, [8])
    clean.parts[of]["target"][-1] = clean.parts[to]["target"][8]
    assert checked(clean.task, clean.parts).leaks == (
        f"1 row of {of} is equal to a row of {to} in every modality (class agrees)",
    )


def test_it_is_told_in_how_many_equal_rows_the_class_agrees(clean, checked):
    copy(clean.parts, "train", "test", [4, 5, 6])
    clean.parts["test"]["target"][-3:] = clean.parts["train"]["target"][[4, 5, 6]] ^ [0, 1, 0]
    sentence = "3 rows of test are equal to a row of train in every modality (class agrees in 2)"
    assert checked(clean.task, clean.parts).leaks == (sentence,)
    copy(clean.parts, "train", "train", [4])  # now row 4 has two classes, so that no row of test agrees with both
    clean.parts["train"]["target"][-1] = clean.parts["train"]["target"][4] ^ 1
    found = checked(clean.task, clean.parts)
    assert found.leaks == (sentence.replace("agrees in 2", "agrees in 1"),)
    assert found.warnings[1:] == (
        "1 row of train is equal to an earlier row of train in every modality (class differs)",
    )


def test_one_modality_alone_can_be_equal(clean, checked):
    copy(clean.parts, "train", "test", [8, 9], ["right"])
    clean.parts["test"]["target"][-2:] = clean.parts["train"]["target"][[8, 9]]
    found = checked(clean.task, clean.parts)
    assert found.leaks == ("2 rows of test are equal to a row of train in modality 'right' (class agrees)",)


def test_what_is_padded_or_absent_is_not_compared_and_a_length_is(clean, checked):
    for split in ("train", "test"):
        clean.parts[split]["present"] = np.ones((len(clean.parts[split]["target"]), 4), dtype=bool)
    copy(clean.parts, "train", "test", [8])
    clean.parts["test"]["target"][-1] = clean.parts["train"]["target"][8]
    for split, row in (("train", 8), ("test", -1)):
        clean.parts[split]["motion:length"][row] = 20
        clean.parts[split]["present"][row, 0] = False
    clean.parts["test"]["motion"][-1, 20:] = 99
    clean.parts["test"]["left"][-1] = np.nan
    assert checked(clean.task, clean.parts).leaks == (
        "1 row of test is equal to a row of train in every modality (class agrees)",
    )
    clean.parts["test"]["motion:length"][-1] = 19
    sentences = checked(clean.task, clean.parts).leaks
    assert not any("every modality" in sentence for sentence in sentences)
    assert any("equal" in sentence and "'right'" in sentence for sentence in sentences)


def test_blank_rows_are_told_and_are_no_leak(clean, checked):
    for split in ("train", "test"):
        clean.parts[split]["right"][:3] = 7
    found = checked(clean.task, clean.parts)
    assert found.leaks == ()
    assert found.warnings == (
        "3 rows of train have one number throughout modality 'right'",
        "3 rows of test have one number throughout modality 'right'",
    )


def test_a_row_with_a_little_noise_is_a_near_copy(clean, checked):
    copy(clean.parts, "train", "test", [8, 9, 10])
    noise = np.random.default_rng(0)
    for column in ("left", "right", "motion"):
        values = clean.parts["test"][column][-3:]
        values += 0.003 * noise.normal(size=values.shape).astype("f4")
    clean.parts["test"]["target"][-3:] = clean.parts["train"]["target"][[8, 9, 10]]
    clean.parts["test"]["words"][-3:, 0] = clean.parts["train"]["words"][[8, 9, 10], 0]
    sentences = checked(clean.task, clean.parts).leaks
    assert "3 rows of test are nearly equal to a row of train (class agrees)" in sentences
    assert not any("every modality" in sentence for sentence in sentences)


@pytest.mark.parametrize("features", [1, 2, 3, 10, 60])
@pytest.mark.parametrize("shape", ["uniform", "normal"])
def test_independent_rows_are_no_near_copies_in_however_few_dimensions(checked, features, shape):
    task = Task("regression", 1, (Modality("only", "vector", (features,)),))
    rng = np.random.default_rng(features)
    parts = {
        name: {"only": getattr(rng, shape)(size=(rows, features)).astype("f4"), "target": rng.random((rows, 1), "f4")}
        for name, rows in (("train", 2000), ("validation", 300), ("test", 1000))
    }
    assert checked(task, parts).leaks == ()
    if features <= 10:  # among more, 2000 rows are too few to tell
        assert 0.7 * features < checked(task, parts).near[0].dimension < 1.3 * features


def test_near_copies_are_found_among_clusters_of_very_different_density(checked):
    task = Task("regression", 1, (Modality("only", "vector", (10,)),))
    rng = np.random.default_rng(0)

    def part(rows):
        spread = np.where(np.arange(rows) % 2, 1e-3, 1.0)[:, None]
        return {"only": (spread * rng.normal(size=(rows, 10))).astype("f4"), "target": rng.random((rows, 1), "f4")}

    parts = {"train": part(1000), "validation": part(200), "test": part(400)}
    assert checked(task, parts).leaks == ()
    parts["test"]["only"][0] = parts["train"]["only"][0] * np.float32(1.0001)
    assert checked(task, parts).leaks == ("1 row of test is nearly equal to a row of train (target differs)",)


def test_windows_that_overlap_are_found_across_splits_and_within(clean, checked):
    rng = np.random.default_rng(1)
    recording = rng.normal(size=(500, 2)).astype("f4")
    for split, starts in (("train", (0, 16, 32)), ("validation", (100, 180)), ("test", (300, 211))):
        for row, start in enumerate(starts):
            clean.parts[split]["motion"][row] = recording[start : start + 32]
    found = checked(clean.task, clean.parts)
    assert found.leaks == ()
    assert found.warnings == ("3 rows of train share a run of 8 frames with another row of train in modality 'motion'",)
    clean.parts["test"]["motion"][1] = recording[189 : 189 + 32]  # 23 frames are those of a row of validation
    assert checked(clean.task, clean.parts).leaks == (
        "1 row of test has a run of 8 frames that a row of validation has too in modality 'motion'",
    )


def test_stillness_is_no_shared_run(clean, checked):
    for split in clean.parts:
        clean.parts[split]["motion"][:, 4:28] = 0.5
    assert checked(clean.task, clean.parts).warnings == ()


def test_a_group_in_two_splits_is_a_leak(clean, checked):
    clean.parts["test"]["group"][:10] = clean.parts["train"]["group"][0]
    clean.parts["test"]["group"][10:20] = clean.parts["train"]["group"][-1]
    found = checked(clean.task, clean.parts)
    assert found.leaks == ("2 of 8 groups of test stand in train too, with 20 rows of test",)
    assert found.groups.count == {"train": 20, "validation": 6, "test": 8}


def test_without_groups_and_targets_the_rest_is_checked(clean, checked):
    for part in clean.parts.values():
        del part["group"], part["target"]
    copy(clean.parts, "train", "test", [8])
    found = checked(replace(clean.task, kind="retrieval", metric="retrieval_map", outputs=0), clean.parts)
    assert found.groups is None
    assert found.targets is None
    assert found.leaks == ("1 row of test is equal to a row of train in every modality",)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32"])
def test_pictures_of_every_number_type_are_compared(checked, dtype):
    task = Task("classification", 2, (Modality("photo", "image", (3, 150, 150)),))  # wide enough to be folded
    rng = np.random.default_rng(0)
    parts = {
        name: {"photo": rng.integers(0, 256, (rows, 3, 150, 150)).astype(dtype), "target": np.arange(rows) % 2}
        for name, rows in (("train", 40), ("validation", 10), ("test", 10))
    }
    assert checked(task, parts).warnings == ()
    parts["test"]["photo"][0] = parts["train"]["photo"][0]
    parts["test"]["photo"][1] = parts["train"]["photo"][1]
    parts["test"]["photo"][1, 0, 0] = 128  # one line of one channel
    assert checked(task, parts).leaks == (
        "1 row of test is equal to a row of train in every modality (class agrees)",
        "1 row of test is nearly equal to a row of train (class agrees)",
    )
