"""Converters on small files in the layout of their source, against values worked out by hand."""

import io
import wave

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from scipy.io import savemat

from mmbench.core.errors import MmbenchError
from mmbench.data.fetch.convert import (
    esc50_noise,
    fsdd,
    handwritten,
    hapt,
    houses,
    mnist,
    mosi,
    rosmap,
    utd_mhad,
    wikipedia,
)


@pytest.fixture
def raw(tmp_path):
    """``raw(path, content)``: a raw file; its folder is ``raw.folder``."""
    folder = tmp_path / "raw"

    def put(path, content=None):
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            place.write_bytes(content if isinstance(content, bytes) else content.encode())
        return place

    put.folder = folder
    return put


@pytest.fixture
def made(raw, tmp_path):
    """``made(converter, name)``: what a converter writes, as arrays or as rows."""

    def make(converter, name):
        out = tmp_path / "out"
        if not out.is_dir():
            out.mkdir()
            converter.convert(raw.folder, out)
        if name.endswith(".npz"):
            with np.load(out / name, allow_pickle=False) as arrays:
                return {key: arrays[key] for key in arrays.files}
        return pq.read_table(out / name).to_pylist() if name.endswith(".parquet") else (out / name).read_bytes()

    return make


def wav(samples, rate):
    file = io.BytesIO()
    with wave.open(file, "wb") as opened:
        opened.setnchannels(1)
        opened.setsampwidth(2)
        opened.setframerate(rate)
        opened.writeframes(np.asarray(samples, "<i2").tobytes())
    return file.getvalue()


def test_mnist_is_copied(raw, made):
    raw("t10k-labels-idx1-ubyte.gz", b"as it is")
    assert made(mnist, "t10k-labels-idx1-ubyte.gz") == b"as it is"


def test_fsdd_keeps_the_recordings_and_splits_by_index(raw, made):
    recordings = {}
    for number, name in enumerate(["7_theo_5", "7_theo_4", "0_theo_10", "3_lucas_0", "1_george_49"], 3):
        recordings[f"{name}.wav"] = wav(np.arange(number), 8000)
        raw(f"recordings/{name}.wav", recordings[f"{name}.wav"])
    rows = made(fsdd, "fsdd.parquet")
    assert [row["path"][:-4] for row in rows] == ["3_lucas_0", "7_theo_4", "1_george_49", "0_theo_10", "7_theo_5"]
    assert [row["split"] for row in rows] == ["test", "test", "train", "train", "train"]
    assert [row["num_samples"] for row in rows] == [6, 4, 7, 5, 3]
    assert rows[3] == {
        "path": "0_theo_10.wav",
        "digit": 0,
        "speaker": "theo",
        "index": 10,
        "split": "train",
        "sampling_rate": 8000,
        "num_samples": 5,
        "audio": {"bytes": recordings["0_theo_10.wav"], "path": "0_theo_10.wav"},
    }


def tone(begin, end, amplitude=20000):
    """5 s at 44.1 kHz: 441 Hz from ``begin`` to ``end`` seconds, else nearly silence."""
    time = np.arange(5 * 44100) / 44100
    loud = (time >= begin) & (time < end)
    return wav(np.where(loud, amplitude, 10) * np.sin(2 * np.pi * 441 * time), 44100)


META = (
    "filename,fold,target,category,esc10,src_file,take\n"
    "4-17-A-49.wav,4,49,hand_saw,False,17,A\n"
    "4-9-B-0.wav,4,0,dog,True,9,B\n"
    "2-9-A-0.wav,2,0,dog,True,9,A\n"
)


def test_esc50_keeps_the_loudest_two_seconds_of_fold_4(raw, made):
    raw("audio/4-9-B-0.wav", tone(2.5, 4.5))
    raw("audio/4-17-A-49.wav", tone(0.0, 2.0, amplitude=10000))
    raw("audio/2-9-A-0.wav", tone(0.0, 2.0))
    raw("meta/esc50.csv", META)
    raw("LICENSE", "attributions")
    first, second = made(esc50_noise, "esc50_fold4_8khz_2s.parquet")
    assert made(esc50_noise, "ESC-50-LICENSE-and-attributions.txt") == b"attributions"
    assert (first["path"], first["target"], first["category"], first["esc10"], first["src_file"]) == (
        "4-17-A-49.wav",
        49,
        "hand_saw",
        False,
        "17",
    )
    assert (second["path"], second["fold"], second["esc10"]) == ("4-9-B-0.wav", 4, True)
    assert [row["offset_seconds"] for row in (first, second)] == [0.0, 2.5]
    assert first["rms"] == pytest.approx(10000 / 32768 / np.sqrt(2), rel=0.01)
    with wave.open(io.BytesIO(second["audio"]["bytes"])) as opened:
        assert opened.getparams()[:4] == (1, 2, 8000, 16000)
        samples = np.frombuffer(opened.readframes(16000), "<i2")
    expected = 20000 * np.sin(2 * np.pi * 441 * (2.5 + np.arange(16000) / 8000))
    assert np.abs(samples - expected)[200:-200].max() < 100


def test_esc50_at_another_rate_is_refused(raw, made):
    raw("audio/4-9-B-0.wav", wav(np.zeros(100), 22050))
    raw("meta/esc50.csv", META)
    with pytest.raises(MmbenchError, match="44100"):
        made(esc50_noise, "esc50_fold4_8khz_2s.parquet")


def test_hapt_steps_and_windows(raw, made):
    data = "HAPT Data Set"
    acc = {1: np.arange(1500).reshape(500, 3) - 700, 2: np.arange(600).reshape(200, 3)}
    for recording, steps in acc.items():
        name = f"exp0{recording}_user0{recording + 1}.txt"
        lines = "".join(" ".join(f"{v / 720:.7f}" for v in row) + "\n" for row in steps)
        raw(f"{data}/RawData/acc_{name}", lines)
        lines = "".join(" ".join(f"{v * 0.0175 * np.pi / 180:.9f}" for v in -row) + "\n" for row in steps)
        raw(f"{data}/RawData/gyro_{name}", lines)
    raw(f"{data}/RawData/labels.txt", "1 2 5 101 400\n1 2 7 401 450\n2 3 1 1 127\n2 3 9 1 20\n2 3 6 73 200\n")
    raw(f"{data}/Test/subject_id_test.txt", "3\n3\n9\n")
    got = made(hapt, "hapt_inertial.npz")
    np.testing.assert_array_equal(got["acc"], np.concatenate([acc[1], acc[2]]))
    np.testing.assert_array_equal(got["gyro"], -got["acc"])
    assert got["acc"].dtype == got["gyro"].dtype == np.int16
    assert got["recording_offset"].tolist() == [0, 500, 700]
    # 300 samples hold windows at 0, 64, 128 of them; 127 hold none; transitions are centred, or pushed inside
    assert got["window_start"].tolist() == [100, 164, 228, 425 - 64, 500, 500 + 72]
    assert got["window_label"].tolist() == [5, 5, 5, 7, 9, 6]
    assert got["window_recording"].tolist() == [0, 0, 0, 0, 1, 1]
    assert got["window_user"].tolist() == [2, 2, 2, 2, 3, 3]
    assert got["window_split"].tolist() == ["train"] * 4 + ["test"] * 2
    assert got["acc_scale"] == 1 / 720


def handwritten_files(raw, train, test, rows=6):
    """Rows of ascending numbers, but row 4 is row 1 again."""
    base = np.arange(rows, dtype=float)
    base[4] = 1
    views = np.empty((1, 6), object)
    for number in range(6):
        view = base[:, None] + np.arange(number + 1) / 8
        views[0, number] = (view * 8).astype(np.uint8) if number == 0 else view
    savemat(raw("handwritten.mat"), {"X": views, "Y": np.arange(rows, dtype=np.uint8)[:, None]})
    parts = {f"x{n + 1}_{p}": views[0, n][i] for n in range(6) for p, i in (("train", train), ("test", test))}
    savemat(raw("handwritten_6views.mat"), parts)


def test_handwritten_rows_get_the_published_split(raw, made):
    handwritten_files(raw, train=[5, 4, 0], test=[2, 3, 1])
    got = made(handwritten, "handwritten_6views.npz")
    # rows 1 and 4 are equal: train takes the first
    assert got["split_tmc"].tolist() == ["train", "train", "test", "test", "test", "train"]
    assert got["pix"].dtype == np.uint8
    assert got["fou"].dtype == np.float32
    assert got["mor"].shape == (6, 6)
    assert got["mor"][2].tolist() == [2.0, 2.125, 2.25, 2.375, 2.5, 2.625]
    assert got["label"].tolist() == [0, 1, 2, 3, 4, 5]


def test_handwritten_with_a_split_of_other_rows_is_refused(raw, made):
    handwritten_files(raw, train=[5, 4, 0], test=[2, 3])
    with pytest.raises(MmbenchError, match="1 rows stand in no part"):
        made(handwritten, "handwritten_6views.npz")


def mosi_files(raw, label="1"):
    spoken = [("b_2", "HELLO", 2, label), ("b_10", "BYE", 2, 0), ("a_1", 'SO, ""WELL""', 1, 1), ("c_1", "X", 3, 0)]
    raw("data/transcripts.csv", "".join(f'"{u}","{w}",{v},{y}\r\n' for u, w, v, y in spoken))
    parts = {"train": [1, 0, 2], "test": [3]}
    for part, numbers in parts.items():
        raw(f"data/text_{part}.csv", "".join(f'"{n}","0.5"\n' for n in numbers))
        for column, name in enumerate(("text", "audio", "video")):
            lines = (f'"{n}.25","{column}","{1 if n in (0, 2) else 0}"\n' for n in numbers)
            raw(f"data/{name}/{name}_{part}0.csv", "".join(lines))


def test_mosi_is_in_the_order_of_the_videos(raw, made):
    mosi_files(raw)
    got, told = made(mosi, "mosi_utterance_features.npz"), made(mosi, "mosi_transcripts.parquet")
    assert got["utterance_id"].tolist() == ["a_1", "b_2", "b_10", "c_1"]
    assert got["text"].tolist() == [[2.25, 0], [0.25, 0], [1.25, 0], [3.25, 0]]
    assert got["video"][0].tolist() == [2.25, 2]
    assert got["audio"].dtype == np.float32
    assert got["label"].tolist() == [1, 1, 0, 0]
    assert got["split"].tolist() == ["train", "train", "train", "test"]
    assert got["position"].tolist() == [1, 2, 10, 1]
    assert [row["transcript"] for row in told] == ['SO, "WELL"', "HELLO", "BYE", "X"]
    assert [row["video_number"] for row in told] == got["video_number"].tolist() == [1, 2, 2, 3]


def test_mosi_labels_that_disagree_are_refused(raw, made):
    mosi_files(raw, label="0")
    with pytest.raises(MmbenchError, match="b_2 disagree"):
        made(mosi, "mosi_utterance_features.npz")


def test_wikipedia_takes_both_parts(raw, made):
    features = {f"{name}_{part}": np.full((rows, 2), rows + 0.5) for name in ("I", "T", "T_tfidf")
                for part, rows in (("tr", 3), ("te", 1))}  # fmt: skip
    savemat(raw("data/raw_features.mat"), features)
    raw("data/trainset_txt_img_cat.list", "t1-2\ti1\t10\nt2\ti2\t1\nt3\ti3\t4\n")
    raw("data/testset_txt_img_cat.list", "t4\ti4\t7\n")
    got = made(wikipedia, "wikipedia_features.npz")
    assert got["label_train"].tolist() == [10, 1, 4]
    assert got["text_id_train"].tolist() == ["t1-2", "t2", "t3"]
    assert got["image_id_test"].tolist() == ["i4"]
    assert got["text_tfidf_train"].tolist() == [[3.5, 3.5]] * 3
    assert got["image_test"].dtype == np.float32


def test_rosmap_stacks_train_and_test(raw, made):
    for number in (1, 2, 3):
        raw(f"ROSMAP/{number}_tr.csv", f"0.{number}e+00,1.0\n0,0.25\n")
        raw(f"ROSMAP/{number}_te.csv", "0.5,0.75\n")
        raw(f"ROSMAP/{number}_featname.csv", f"left|{number}\nright\n")
    raw("ROSMAP/labels_tr.csv", "0.000e+00\n1.000e+00\n")
    raw("ROSMAP/labels_te.csv", "1.000e+00\n")
    got = made(rosmap, "rosmap.npz")
    np.testing.assert_array_equal(got["methylation"], np.array([[0.2, 1], [0, 0.25], [0.5, 0.75]], np.float32))
    assert got["mirna_features"].tolist() == ["left|3", "right"]
    assert got["label"].tolist() == [0, 1, 1]
    assert got["split"].tolist() == ["train", "train", "test"]


def test_utd_mhad_sequences_and_small_depth(raw, made):
    for (action, subject, trial), steps in {(2, 1, 1): 5, (1, 2, 4): 3, (10, 1, 1): 4}.items():
        name = f"a{action}_s{subject}_t{trial}"
        inertial = np.arange(steps * 6.0).reshape(steps, 6) + action
        skeleton = np.arange(20 * 3 * steps, dtype=float).reshape(20, 3, steps)
        depth = np.zeros((8, 12, 31), np.uint16)
        depth[:4, :2] = 160 + 16 * np.arange(31)  # 8 of 16 pixels: enough
        depth[4:, 4:8] = 48
        depth[4:, 4:8][2:, :] = depth[4:, 4:8][1, 0] = 0  # 7 of 16 pixels: too few
        for kind, variable, value in (
            ("Inertial", "d_iner", inertial),
            ("Skeleton", "d_skel", skeleton),
            ("Depth", "d_depth", depth),
        ):
            savemat(raw(f"data/{kind}/{name}_{kind.lower()}.mat"), {variable: value})
    got = made(utd_mhad, "utd_mhad_inertial_skeleton.npz")
    assert got["label"].tolist() == [0, 1, 9]
    assert got["split_cross_subject"].tolist() == ["test", "train", "train"]
    assert got["trial"].tolist() == [4, 1, 1]
    assert got["inertial_offset"].tolist() == got["skeleton_offset"].tolist() == [0, 3, 8, 12]
    assert got["inertial"][3].tolist() == [2, 3, 4, 5, 6, 7]
    assert got["skeleton"].shape == (12, 20, 3)
    assert got["skeleton"][1, 0].tolist() == [1, 4, 7]  # joint 0, second of three frames
    small = made(utd_mhad, "utd_mhad_depth16.npz")
    assert small["key"].tolist() == [[1, 2, 4], [2, 1, 1], [10, 1, 1]]
    assert small["num_frames"].tolist() == [31] * 3
    assert small["depth"].shape == (3, 16, 2, 3)
    assert small["depth"][0, :, 0, 0].tolist() == list(range(10, 42, 2))
    assert not small["depth"][:, :, 1].any()


def test_houses_are_small_pictures_beside_their_numbers(raw, made):
    colours = {"frontal": (250, 0, 0), "bedroom": (0, 250, 0), "bathroom": (0, 0, 250), "kitchen": (90, 90, 90)}
    for house in (1, 2):
        for room, colour in colours.items():
            place = raw(f"Houses Dataset/{house}_{room}.jpg")
            Image.new("RGB", (300 * house, 200), colour).save(place, quality=95)
    raw("Houses Dataset/HousesInfo.txt", "4 2.5 4053 85255 869500\n3 1 900 36372 22000")
    first, second = made(houses, "houses_96px.parquet")
    assert [first[name] for name in ("house_id", "bedrooms", "bathrooms", "area", "zipcode", "price")] == [
        1, 4.0, 2.5, 4053.0, 85255, 869500.0
    ]  # fmt: skip
    assert second["price"] == 22000.0
    for room, colour in colours.items():
        assert second[f"image_{room}"]["path"] == f"2_{room}.jpg"
        picture = Image.open(io.BytesIO(second[f"image_{room}"]["bytes"]))
        assert (picture.format, picture.size, picture.mode) == ("JPEG", (96, 96), "RGB")
        assert np.abs(np.asarray(picture).astype(int) - colour).max() <= 4


def test_houses_with_other_columns_are_refused(raw, made):
    raw("Houses Dataset/HousesInfo.txt", "4 4 4053 85255\n")
    with pytest.raises(MmbenchError, match="five numbers"):
        made(houses, "houses_96px.parquet")
