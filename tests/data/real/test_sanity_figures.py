"""The real data are what their README says: its counts, and its figures of logistic regressions on simple features.

A figure is reached if it is within two standard errors of an accuracy on that many test rows. What the
README leaves open was chosen so that the figures are met: the regularisation C of each collection among
1, .1, .01 and .001, the clips held out of esc50, the resolution of the depth images. More than half of the
figures are then met to the hundredth, which shows that files, labels and splits are what they were.
"""

import gzip
import importlib.util
import io
import os
from functools import cache
from math import sqrt
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(os.environ.get("MMBENCH_DATA") or "/nowhere")
pytestmark = pytest.mark.skipif("MMBENCH_DATA" not in os.environ, reason="MMBENCH_DATA names no folder of real data")


def _beside(name):
    """A module in this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(f"real_{name}", Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


features = _beside("features")


@cache
def arrays(path):
    """The arrays of a file, none of them of objects."""
    if not (FOLDER / path).exists():
        pytest.skip(f"there is no {path} in MMBENCH_DATA")
    if path.endswith(".npz"):
        with np.load(FOLDER / path, allow_pickle=False) as kept:
            return dict(kept)
    if path.endswith(".parquet"):
        import pyarrow.parquet as pq

        return {name: np.array(column) for name, column in pq.read_table(FOLDER / path).to_pydict().items()}
    return np.frombuffer(gzip.decompress((FOLDER / path).read_bytes()), np.uint8)


def regression(C):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=300))


def check_figures(inputs, target, train, figures, C=1.0):
    """Fit on each of the inputs {name: (N,F)} and on their concatenation; compare with the README's figures in %.

    Returns:
        {name: fitted model}.
    """
    inputs = {name: np.asarray(each, dtype=float) for name, each in inputs.items()}
    if "concat" in figures:
        inputs["concat"] = np.concatenate(list(inputs.values()), axis=1)
    assert set(inputs) == set(figures)
    models, off = {}, {}
    for name, figure in figures.items():
        models[name] = regression(C).fit(inputs[name][train], target[train])
        reached = 100 * models[name].score(inputs[name][~train], target[~train])
        if abs(reached - figure) > two_errors(figure, (~train).sum()):
            off[name] = f"{reached:.2f}, not {figure}"
    assert off == {}
    return models


def two_errors(figure, rows):
    """Two standard errors of an accuracy in %."""
    return 2 * sqrt(figure * (100 - figure) / rows)


def majority(target, train):
    """Accuracy in % of always saying the most frequent class of train."""
    return 100 * np.mean(target[~train] == np.bincount(target[train]).argmax())


def counts(target):
    return np.bincount(target).tolist()


def sounds(table):
    from scipy.io import wavfile

    read = [wavfile.read(io.BytesIO(each["bytes"])) for each in table["audio"]]
    assert {rate for rate, _ in read} == {8000}
    assert [len(sound) for _, sound in read] == table["num_samples"].tolist()
    return [sound for _, sound in read]


@cache
def spoken():
    return np.stack([features.log_mel(sound, 8000) for sound in sounds(arrays("fsdd/fsdd.parquet"))])


def test_mnist():
    images = {part: arrays(f"mnist/{part}-images-idx3-ubyte.gz")[16:].reshape(-1, 784) for part in ("train", "t10k")}
    labels = {part: arrays(f"mnist/{part}-labels-idx1-ubyte.gz")[8:] for part in ("train", "t10k")}
    assert [images["train"].shape, images["t10k"].shape] == [(60000, 784), (10000, 784)]
    assert counts(labels["train"]) == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert counts(labels["t10k"]) == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    some = np.random.default_rng(0).permutation(60000)[:10000]
    inputs = {"image": np.concatenate([images["train"][some], images["t10k"]])}
    target = np.concatenate([labels["train"][some], labels["t10k"]])
    check_figures(inputs, target, np.arange(20000) < 10000, {"image": 91.69}, C=0.01)


def test_fsdd():
    table = arrays("fsdd/fsdd.parquet")
    train, target = table["split"] == "train", table["digit"]
    assert (train.sum(), (~train).sum()) == (2700, 300)
    assert (train == (table["index"] >= 5)).all()
    assert (table["num_samples"].min(), table["num_samples"].max()) == (1148, 18262)
    speakers, of_each = np.unique(table["speaker"], return_counts=True)
    assert speakers.tolist() == ["george", "jackson", "lucas", "nicolas", "theo", "yweweler"]
    assert of_each.tolist() == [500] * 6
    assert counts(target) == [300] * 10
    assert majority(target, train) == pytest.approx(10.0)
    check_figures({"audio": spoken()}, target, train, {"audio": 94.33}, C=0.01)


GEORGE = pytest.mark.xfail(
    strict=True,
    reason="24, not 43: with this speaker left out, the accuracy goes from 24 to 51 with the floor under the "
    "logarithm (1e-6 to 1e-2), of which the README says nothing; no floor that was tried gives all six figures",
)


@pytest.mark.parametrize(
    ("speaker", "figure"),
    [
        pytest.param("george", 43.0, marks=GEORGE),
        ("jackson", 84.2),
        ("lucas", 57.2),
        ("nicolas", 61.2),
        ("theo", 84.2),
        ("yweweler", 78.8),
    ],
)
def test_fsdd_with_a_speaker_left_out(speaker, figure):
    table = arrays("fsdd/fsdd.parquet")
    check_figures({"audio": spoken()}, table["digit"], table["speaker"] != speaker, {"audio": figure}, C=0.01)


def test_esc50():
    table = arrays("esc50_noise/esc50_fold4_8khz_2s.parquet")
    assert counts(table["target"]) == [8] * 50
    assert set(table["fold"]) == {4}
    target, clips = table["target"] // 10, np.unique(table["src_file"])
    held_out = np.random.RandomState(0).permutation(clips)[: len(clips) // 4]
    train = ~np.isin(table["src_file"], held_out)
    assert (train.sum(), (~train).sum()) == (307, 93)
    assert majority(target, train) == pytest.approx(15.05, abs=0.005)
    found = sounds(table)
    assert {len(sound) for sound in found} == {16000}
    inputs = {"audio": np.stack([features.log_mel(sound, 8000) for sound in found])}
    check_figures(inputs, target, train, {"audio": 47.31}, C=0.01)


def test_hapt():
    kept = arrays("hapt/hapt_inertial.npz")
    label, tested = kept["window_label"], kept["window_split"] == "test"
    assert kept["acc"].shape == kept["gyro"].shape == (1122772, 3)
    assert (len(label), tested.sum(), len(kept["recording_user"])) == (10769, 3104, 61)
    assert len(set(kept["recording_user"])) == 30
    assert set(kept["window_user"][tested]) == {2, 4, 9, 10, 12, 13, 18, 20, 24}
    assert not set(kept["window_user"][tested]) & set(kept["window_user"][~tested])
    assert counts(label[~tested])[1:] == [1226, 1073, 987, 1293, 1423, 1413, 42, 44, 42, 42, 40, 40]
    basic = label <= 6
    target, train = label[basic], ~tested[basic]
    assert (train.sum(), (~train).sum()) == (7415, 2996)
    assert majority(target, train) == pytest.approx(18.56, abs=0.005)
    rows = kept["window_start"][basic][:, None] + np.arange(128)
    inputs = {name: features.window_statistics(kept[name][rows] * kept[f"{name}_scale"]) for name in ("acc", "gyro")}
    check_figures(inputs, target, train, {"acc": 87.75, "gyro": 80.01, "concat": 94.76}, C=0.1)


def test_handwritten():
    kept = arrays("handwritten/handwritten_6views.npz")
    train, target = kept["split_tmc"] == "train", kept["label"]
    assert (train.sum(), (~train).sum()) == (1600, 400)
    assert counts(target) == [200] * 10
    assert counts(target[~train]) == [40] * 10
    figures = {"pix": 98.75, "fou": 83.0, "fac": 99.5, "zer": 80.25, "kar": 97.75, "mor": 70.25, "concat": 99.25}
    inputs = {name: kept[name] for name in figures if name != "concat"}
    assert [each.shape[1] for each in inputs.values()] == [240, 76, 216, 47, 64, 6]
    assert majority(target, train) == pytest.approx(10.0)
    check_figures(inputs, target, train, figures)
    every = np.concatenate(list(inputs.values()), axis=1)
    assert len(every) - len(np.unique(every, axis=0)) == 6  # pairs of equal rows
    assert (every[1448] == every[1521]).all()
    assert train[1448] != train[1521]


def test_mosi():
    from sklearn.metrics import roc_auc_score

    kept = arrays("mosi/mosi_utterance_features.npz")
    train, target = kept["split"] == "train", kept["label"]
    assert (train.sum(), (~train).sum()) == (1447, 752)
    videos = set(kept["video_id"][train]), set(kept["video_id"][~train])
    assert (len(videos[0]), len(videos[1]), len(videos[0] & videos[1])) == (62, 31, 0)
    assert counts(target) == [1023, 1176]
    assert target[~train].sum() == 467
    assert target[train].mean() == pytest.approx(0.490, abs=0.0005)
    assert majority(target, train) == pytest.approx(37.9, abs=0.05)
    assert (arrays("mosi/mosi_transcripts.parquet")["utterance_id"] == kept["utterance_id"]).all()
    inputs = {name: kept[name] for name in ("text", "audio", "video")}
    figures = {"text": 75.66, "audio": 55.72, "video": 51.46, "concat": 76.73}
    models = check_figures(inputs, target, train, figures, C=0.01)
    inputs["concat"] = np.concatenate(list(inputs.values()), axis=1)
    for name, area in {"text": 0.838, "audio": 0.566, "video": 0.549, "concat": 0.841}.items():
        scores = models[name].decision_function(inputs[name][~train].astype(float))
        assert roc_auc_score(target[~train], scores) == pytest.approx(area, abs=0.002)


@pytest.mark.parametrize(
    ("text", "C", "figures"),
    [
        ("text", 0.1, {"image": 26.41, "text": 67.82, "concat": 65.51}),
        ("text_tfidf", 0.01, {"image": 29.0, "text_tfidf": 84.42, "concat": 84.56}),
    ],
)
def test_wikipedia(text, C, figures):
    kept = arrays("wikipedia/wikipedia_features.npz")
    target = np.concatenate([kept["label_train"], kept["label_test"]])
    train = np.arange(len(target)) < 2173
    assert (~train).sum() == 693
    assert counts(target[train])[1:] == [138, 272, 244, 248, 202, 178, 186, 144, 214, 347]
    assert majority(target, train) == pytest.approx(15.01, abs=0.005)
    inputs = {name: np.concatenate([kept[f"{name}_train"], kept[f"{name}_test"]]) for name in ("image", text)}
    check_figures(inputs, target, train, figures, C)


def test_utd_mhad():
    kept, depth = arrays("utd_mhad/utd_mhad_inertial_skeleton.npz"), arrays("utd_mhad/utd_mhad_depth16.npz")
    train, target = kept["split_cross_subject"] == "train", kept["label"]
    assert (train.sum(), (~train).sum(), len(np.unique(target))) == (431, 430, 27)
    assert (set(kept["subject"][train]), set(kept["subject"][~train])) == ({1, 3, 5, 7}, {2, 4, 6, 8})
    assert (depth["key"] == np.stack([target + 1, kept["subject"], kept["trial"]], axis=1)).all()
    inertial = features.clips(kept["inertial"], kept["inertial_offset"])
    skeleton = features.clips(kept["skeleton"], kept["skeleton_offset"])
    assert (min(map(len, inertial)), max(map(len, inertial))) == (107, 326)
    assert (min(map(len, skeleton)), max(map(len, skeleton))) == (41, 125)
    assert majority(target, train) == pytest.approx(3.72, abs=0.005)
    inputs = {
        "inertial": features.inertial_features(inertial),
        "skeleton": features.skeleton_features(skeleton),
        "depth": features.motion_images(depth["depth"]),
    }
    check_figures(inputs, target, train, {"inertial": 71.86, "skeleton": 72.79, "depth": 39.3, "concat": 77.91})


def test_houses():
    from PIL import Image
    from sklearn.model_selection import train_test_split

    table = arrays("houses/houses_96px.parquet")
    price = table["price"]
    assert (len(price), len(np.unique(table["zipcode"]))) == (535, 49)
    assert (price.min(), np.median(price), price.max()) == (22000, 529000, 5858000)
    target = np.digitize(price, np.quantile(price, [1 / 3, 2 / 3]))
    rows = train_test_split(np.arange(535), test_size=0.25, stratify=target, random_state=0)[0]
    train = np.isin(np.arange(535), rows)
    assert (train.sum(), (~train).sum()) == (401, 134)
    assert majority(target, train) == pytest.approx(32.84, abs=0.005)
    inputs = {
        "tabular": np.c_[table["bedrooms"], table["bathrooms"], table["area"], features.one_hot(table["zipcode"])]
    }
    for room in ("frontal", "bedroom", "bathroom", "kitchen"):
        images = [Image.open(io.BytesIO(each["bytes"])) for each in table[f"image_{room}"]]
        assert {image.size for image in images} == {(96, 96)}
        inputs[room] = np.stack([np.asarray(image.resize((16, 16))).reshape(-1) for image in images])
    figures = {"tabular": 79.1, "frontal": 39.55, "bedroom": 45.52, "bathroom": 40.3, "kitchen": 47.01, "concat": 52.24}
    check_figures(inputs, target, train, figures, C=0.001)


def test_rosmap():
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.metrics import f1_score, roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    kept = arrays("rosmap/rosmap.npz")
    train, target = kept["split"] == "train", kept["label"]
    assert (counts(target[train]), counts(target[~train])) == ([118, 127], [51, 55])
    inputs = {name: kept[name].astype(float) for name in ("mrna", "methylation", "mirna")}
    assert {each.shape for each in inputs.values()} == {(351, 200)}
    inputs["concat"] = np.concatenate(list(inputs.values()), axis=1)
    figures = {
        "mrna": (82.1, 0.826, 0.881),
        "methylation": (67.9, 0.673, 0.763),
        "mirna": (70.8, 0.716, 0.819),
        "concat": (80.2, 0.807, 0.895),
    }
    for name, (accuracy, f1, area) in figures.items():
        model = make_pipeline(StandardScaler(), LogisticRegressionCV(Cs=10, cv=5, max_iter=1000, scoring="accuracy"))
        model.fit(inputs[name][train], target[train])
        said, score = model.predict(inputs[name][~train]), model.decision_function(inputs[name][~train])
        assert 100 * np.mean(said == target[~train]) == pytest.approx(accuracy, abs=two_errors(accuracy, 106))
        assert f1_score(target[~train], said) == pytest.approx(f1, abs=0.03)
        assert roc_auc_score(target[~train], score) == pytest.approx(area, abs=0.02)
