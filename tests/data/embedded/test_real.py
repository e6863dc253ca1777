"""The datasets from scikit-learn's files: nothing is lost or changed, and splits are stratified."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from mmbench.data.source import SPLITS


@pytest.fixture(scope="module")
def whole(build, read):
    """whole(name, **parameters): all splits as (N, columns) of each modality, and the target."""

    def whole(name, **parameters):
        parts = [read(build(name, **parameters), split) for split in SPLITS]
        names = parts[0][0].names
        views = {m: torch.cat([inputs.values[m].flatten(1) for inputs, _ in parts]).numpy() for m in names}
        return views, torch.cat([target for _, target in parts]).double().flatten().numpy()

    return whole


def sorted_rows(*columns):
    table = np.concatenate([np.asarray(column, dtype=np.float32).reshape(len(column), -1) for column in columns], 1)
    return table[np.lexsort(table.T)]


def test_breast_cancer_views_are_the_columns_of_scikit_learn(whole):
    views, target = whole("breast-cancer-views")
    data = load_breast_cancer()
    for view in ("mean", "error", "worst"):
        own = [i for i, name in enumerate(data.feature_names) if view in name.split()]
        np.testing.assert_array_equal(sorted_rows(views[view], target), sorted_rows(data.data[:, own], data.target))
    np.testing.assert_array_equal(sorted_rows(*views.values(), target), sorted_rows(data.data, data.target))


def test_diabetes_views_are_the_columns_of_scikit_learn(whole):
    views, target = whole("diabetes-views")
    data = load_diabetes(scaled=False)
    assert data.feature_names[:4] == ["age", "sex", "bmi", "bp"]
    np.testing.assert_array_equal(sorted_rows(views["clinical"], target), sorted_rows(data.data[:, :4], data.target))
    np.testing.assert_array_equal(sorted_rows(*views.values(), target), sorted_rows(data.data, data.target))


def test_images_without_noise_are_those_of_scikit_learn(whole):
    views, target = whole("avdigits", image_noise=0.0)
    data = load_digits()
    np.testing.assert_array_equal(sorted_rows(views["image"], target), sorted_rows(data.data / 16, data.target))


@pytest.mark.parametrize("name", ["avdigits", "breast-cancer-views"])
def test_every_split_has_the_classes_in_proportion(name, build, read):
    source = build(name)
    targets = [read(source, split)[1] for split in SPLITS]
    counts = torch.stack([torch.bincount(target, minlength=source.task.outputs) for target in targets]).double()
    expected = counts.sum(1, keepdim=True) * counts.sum(0) / counts.sum()
    assert (counts - expected).abs().max() <= 2


def test_one_modality_of_avdigits_is_good_and_both_are_clearly_better(build, read):
    source = build("avdigits")
    (train, labels), (test, truth) = read(source, "train"), read(source, "test")

    def accuracy(*names):
        x, y = (torch.cat([inputs.values[m].flatten(1) for m in names], 1).numpy() for inputs in (train, test))
        scaler = StandardScaler().fit(x)
        model = LogisticRegression(C=0.01).fit(scaler.transform(x), labels)
        return model.score(scaler.transform(y), truth)

    image, audio, both = accuracy("image"), accuracy("audio"), accuracy("image", "audio")
    assert 0.65 < audio < 0.86
    assert 0.65 < image < 0.86
    assert both > max(image, audio) + 0.05


def test_no_two_spoken_digits_are_alike_and_less_noise_is_louder_against_it(build, read):
    quiet, digits = read(build("avdigits", audio_noise=0.05))
    noisy, same = read(build("avdigits"))
    assert digits.equal(same)
    ones = noisy.values["audio"][same == 1].flatten(1)
    assert torch.pdist(ones).min() > 1
    assert quiet.values["audio"].std() > noisy.values["audio"].std()
    assert torch.isfinite(noisy.values["audio"]).all()
