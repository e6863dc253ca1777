"""What the check counts and measures has known values."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.data.check.check import not_found, not_on_card
from mmbench.data.check.findings import Findings, Targets
from mmbench.data.check.sentences import leaks, others
from mmbench.data.check.text import as_text

EMPTY = Findings("classification", "f" * 64, {}, {}, (), (), (), None, (), None, ())


def test_classes_are_counted_and_absent_ones_told(clean, checked):
    clean.parts["validation"]["target"][:] = np.arange(60) % 2
    found = checked(clean.task, clean.parts)
    assert found.targets.classes == {"train": [50] * 4, "validation": [30, 30, 0, 0], "test": [20] * 4}
    assert found.warnings == ("classes 2, 3 have no row in validation",)
    assert found.targets.variation == 0
    assert found.targets.chance == pytest.approx(1)


def test_a_shift_of_class_frequencies_is_told_when_it_is_no_chance(clean, checked):
    clean.parts["test"]["target"][:] = np.repeat([0, 1, 2, 3], [50, 10, 10, 10])
    found = checked(clean.task, clean.parts)
    assert found.targets.variation == pytest.approx(50 / 80 - 1 / 4)
    assert found.warnings == ("class frequencies of train and test differ by 0.38 (total variation distance)",)
    clean.parts["test"]["target"][:] = np.repeat([0, 1, 2, 3], [25, 20, 20, 15])
    found = checked(clean.task, clean.parts)
    assert found.targets.variation == pytest.approx(0.0625)
    assert found.targets.chance == pytest.approx(chi2_contingency([[50] * 4, [25, 20, 20, 15]]).pvalue)
    assert found.warnings == ()


def test_labels_have_frequencies(clean, checked):
    task = Task("multilabel", 2, clean.task.modalities)
    for part in clean.parts.values():
        rows = len(part["target"])
        part["target"] = np.stack([np.arange(rows) % 2, np.arange(rows) % 5 == 0], axis=1).astype("f4")
    clean.parts["validation"]["target"][:, 1] = 0
    found = checked(task, clean.parts)
    assert found.targets.positives["train"] == pytest.approx([0.5, 0.2])
    assert found.warnings == ("label 1 is 0 in every row of validation",)


def test_a_regression_has_quantiles(clean, checked):
    for part in clean.parts.values():
        part["target"] = np.linspace(0, 8, len(part["target"]), dtype="f4")[:, None]
    found = checked(Task("regression", 1, clean.task.modalities), clean.parts)
    assert found.targets.quantiles["test"][0] == pytest.approx([0, 2, 4, 6, 8], abs=1e-5)
    assert found.warnings == ()


def test_constant_and_nearly_constant_features_are_those_of_real_frames_of_train(clean, checked):
    train = clean.parts["train"]
    train["left"][:, 1] = 4
    train["right"][:198, 2] = -1  # 99 % of 200 rows
    train["right"][:197, 3] = -1
    train["motion"][:, :20, 0] = np.float32(0.1)
    train["motion:length"][:] = 20
    train["motion"][:, 20:, 0] = 3  # padded
    left, right, motion = checked(clean.task, clean.parts).columns
    assert (left.modality, left.count, left.constant, left.nearly) == ("left", 6, 1, 0)
    assert left.share == pytest.approx(1 / 6)
    assert (right.constant, right.nearly) == (0, 1)
    assert (motion.count, motion.constant) == (2, 1)
    warnings = checked(clean.task, clean.parts).warnings
    assert "1 of 6 features of modality 'left' is constant in train" in warnings


@pytest.mark.parametrize(
    ("border", "said"), [(1, ()), (3, ("60 of 64 features of modality 'photo' are constant in train",))]
)
def test_pictures_have_constant_borders_by_nature(checked, border, said):
    task = Task("classification", 2, (Modality("photo", "image", (1, 8, 8)),))
    rng = np.random.default_rng(0)
    parts = {
        name: {"photo": np.zeros((rows, 1, 8, 8), "f4"), "target": np.arange(rows) % 2}
        for name, rows in (("train", 100), ("validation", 30), ("test", 30))
    }
    for part in parts.values():
        middle = part["photo"][:, :, border : 8 - border, border : 8 - border]
        middle[:] = rng.normal(size=middle.shape)
    found = checked(task, parts)
    assert found.columns[0].constant == 64 - (8 - 2 * border) ** 2
    assert found.warnings == said


def test_shares_of_absent_modalities_and_lengths_are_those_of_the_rows(clean, checked):
    test = clean.parts["test"]
    test["present"] = np.ones((80, 4), dtype=bool)
    test["present"][:20, 1] = False
    test["present"][79] = False
    test["motion:length"][:] = np.arange(80) % 5 + 10
    found = checked(clean.task, clean.parts)
    by = {(each.split, each.modality): each for each in found.presence}
    assert by["test", "right"].absent == pytest.approx(21 / 80)
    assert by["train", "right"].absent == 0
    assert by["test", "motion"].lengths == (10, 12, 14)
    assert by["train", "motion"].lengths == (32, 32, 32)
    assert by["test", "left"].lengths is None
    assert found.empty == {"train": 0, "validation": 0, "test": 1}
    assert "1 row of test lacks every modality" in found.warnings
    assert "modality 'right' is absent in rows of test, and in none of train" in found.warnings


def test_findings_are_plain_numbers(clean, checked):
    found = checked(clean.task, clean.parts)
    assert json.loads(json.dumps(asdict(found)))["rows"] == {"train": 200, "validation": 60, "test": 80}


def test_a_card_has_to_state_a_finding_word_for_word(toy):
    card = toy.card(findings=("one leak", "an old leak"))
    found = replace(EMPTY, leaks=("one leak", "two leaks"), warnings=("one leak", "two leaks", "a note"))
    assert not_on_card(card, found.leaks) == ("two leaks",)
    assert not_on_card(card, found.warnings) == ("two leaks", "a note")
    assert not_found(card, found) == ("an old leak",)


def test_nothing_follows_from_nothing():
    assert leaks(EMPTY) == others(EMPTY) == ()
    few = replace(EMPTY, targets=Targets(classes={"train": [1, 1]}, variation=0.5, chance=0.4))
    assert others(few) == ()  # a large difference of few rows


def test_the_text_tells_leaks_from_notes_and_what_the_card_lacks(clean, checked):
    for column in ("left", "right", "motion", "words", "target"):
        clean.parts["test"][column][0] = clean.parts["train"][column][0]
    clean.parts["train"]["left"][:, 1] = 4
    found = checked(clean.task, clean.parts)
    text = as_text("toy", found, found.leaks, ("an old leak",))
    lines = [line.strip() for line in text.splitlines()]
    assert lines[0] == "toy  (200 train, 60 validation, 80 test)"
    assert any(line.startswith("leak: 1 row of test is equal") and line.endswith("[not on the card]") for line in lines)
    assert "note: 1 of 6 features of modality 'left' is constant in train" in lines
    assert "on the card, but not found: an old leak" in lines
    assert "classes      50 50 50 50 in train" in lines
