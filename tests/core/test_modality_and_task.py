"""Modalities and tasks refuse what makes no sense, and say what is wrong."""

import pytest

from mmbench.core.errors import MmbenchError, did_you_mean
from mmbench.core.modality import Modality
from mmbench.core.scores import TASK_SCORES, Score
from mmbench.core.task import TASK_KINDS, Task

IMAGE, SOUND = Modality("image", "image", (1, 8, 8)), Modality("sound", "spectrogram", (1, 20, 30))


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("image", (3, 8, 8)),
        ("spectrogram", (1, 20, 30)),
        ("sequence", (12, 4)),
        ("sequence", (12, 3, 8, 8)),
        ("vector", (5,)),
    ],
)
def test_every_shape_that_its_kind_allows(kind, shape):
    assert Modality("m", kind, shape).timed == (kind == "sequence")


def test_tokens_are_timed_and_have_a_vocabulary():
    assert Modality("words", "tokens", (7,), vocabulary=50).timed


@pytest.mark.parametrize(
    ("kind", "shape", "wanted"),
    [
        ("image", (8, 8), r"\(C,H,W\), not \(8, 8\)"),
        ("vector", (), r"\(D\), not \(\)"),
        ("vector", (0,), r"\(D\), not \(0,\)"),
        ("sequence", (4, 3, 2), r"\(T,C\) or \(T,C,H,W\), not \(4, 3, 2\)"),
        ("spectrogram", (1, -20, 30), r"\(C,H,W\)"),
    ],
)
def test_a_shape_that_does_not_fit_its_kind_is_told_with_the_shapes_that_do(kind, shape, wanted):
    with pytest.raises(MmbenchError, match=f"modality 'm': a {kind} has shape {wanted}"):
        Modality("m", kind, shape)


def test_an_unknown_kind_is_told_with_the_known_ones():
    with pytest.raises(MmbenchError, match=r"modality 'm': kind 'video' is none of .*'image'.*'tokens'"):
        Modality("m", "video", (3, 8, 8))


@pytest.mark.parametrize(("kind", "shape", "vocabulary"), [("tokens", (7,), 0), ("vector", (7,), 9)])
def test_a_vocabulary_goes_with_tokens_alone(kind, shape, vocabulary):
    with pytest.raises(MmbenchError, match="vocabulary goes with tokens"):
        Modality("m", kind, shape, vocabulary=vocabulary)


@pytest.mark.parametrize("name", ["", "a:length", "a,b", "a b", "a]", "target", "present", "group", "fused"])
def test_a_name_that_would_be_taken_for_something_else_is_refused(name):
    """Names are columns of the data, keys of embeddings, and values of ``unimodal[modality=…]``."""
    with pytest.raises(MmbenchError, match="modality name"):
        Modality(name, "vector", (3,))


@pytest.mark.parametrize("name", ["image", "left_hand", "ECG-2", "x.1"])
def test_ordinary_names_are_fine(name):
    assert Modality(name, "vector", (3,)).name == name


def test_a_task_knows_its_modalities_by_name_and_its_main_metric():
    task = Task("classification", 4, (IMAGE, SOUND))
    assert task.names == ("image", "sound")
    assert task.modality("sound") is SOUND
    assert task.score.name == "accuracy"
    assert Task("regression", 1, (IMAGE,)).score.higher_is_better is False
    assert Task("multilabel", 3, (IMAGE,), metric="hamming").score.name == "hamming"


def test_every_kind_of_task_has_a_main_metric_of_known_direction():
    for kind in TASK_KINDS:
        outputs = {"classification": 2, "retrieval": 0}.get(kind, 1)
        assert isinstance(Task(kind, outputs, (IMAGE,)).score, Score)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "clasification"}, "'clasification' is unknown; did you mean classification"),
        ({"modalities": ()}, "1 to 10 modalities, not 0"),
        ({"modalities": tuple(Modality(f"m{i}", "vector", (2,)) for i in range(11))}, "1 to 10 modalities, not 11"),
        ({"modalities": (IMAGE, IMAGE)}, r"share a name: \['image', 'image'\]"),
        ({"outputs": 1}, "classification needs at least 2 outputs, not 1"),
        ({"kind": "regression", "outputs": 0}, "regression needs at least 1 outputs, not 0"),
        ({"metric": "acuracy"}, "'acuracy' is unknown; did you mean accuracy"),
    ],
)
def test_a_task_says_what_is_wrong_with_it(change, message):
    with pytest.raises(MmbenchError, match=message):
        Task(**{"kind": "classification", "outputs": 4, "modalities": (IMAGE, SOUND), **change})


@pytest.mark.parametrize("kind", ["verification", "anomaly"])
def test_yes_or_no_tasks_have_one_output(kind):
    """Its measures read the first output alone: a second one would go unjudged."""
    with pytest.raises(MmbenchError, match=f"{kind} needs 1 output, not 2"):
        Task(kind, 2, (IMAGE,))


def test_an_unknown_modality_is_told_with_the_nearest():
    with pytest.raises(MmbenchError, match=r"no modality 'imgae'; did you mean image\?"):
        Task("classification", 4, (IMAGE, SOUND)).modality("imgae")


def test_a_guess_names_what_is_near_and_everything_where_nothing_is():
    assert did_you_mean("lat", ["late", "early", "hybrid"]) == "did you mean late?"
    assert did_you_mean("zzz", ["late", "early"]) == "known: early, late"
    assert did_you_mean("zzz", []) == "none is known"
    near = did_you_mean("decision", ["decision-mean", "decision-max", "late"])
    assert "decision-mean" in near
    assert "decision-max" in near
    assert "late" not in near


def test_scores_know_which_of_two_is_better():
    assert TASK_SCORES["accuracy"].better(0.9, 0.8)
    assert TASK_SCORES["rmse"].better(0.8, 0.9)
    assert not TASK_SCORES["rmse"].better(0.8, 0.8)
    assert TASK_SCORES["accuracy"].arrow != TASK_SCORES["rmse"].arrow
    assert all(score.low < score.high for score in TASK_SCORES.values())
    assert all(score.chance is None or score.low <= score.chance <= score.high for score in TASK_SCORES.values())
