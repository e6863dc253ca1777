"""A cell is reproducible, its seeds differ, and missing modalities are answered for."""

import json
from pathlib import Path

import numpy as np


def results(folder: Path, method: str = "good") -> list[tuple[dict, np.ndarray]]:
    found = []
    for path in sorted(folder.glob(f"**/{method}/seed*.json")):
        with np.load(path.with_suffix(".npz"), allow_pickle=False) as arrays:
            found.append((json.loads(path.read_text()), arrays["prediction"]))
    return found


def test_the_same_cell_twice_gives_the_same_scores_whatever_runs_beside_it(mmbench, tmp_path):
    assert mmbench("run", "-m", "good", "-d", "tiny", "--out", "one", "--seeds", "2").returncode == 0
    assert mmbench("run", "-m", "good", "-m", "slow", "-d", "tiny", "-j", "3", "--out", "two").returncode == 0
    one, two = results(tmp_path / "one"), results(tmp_path / "two")
    for (record, prediction), (other, same) in zip(one, two, strict=False):
        assert record["scores"] == other["scores"]
        assert record["validation"] == other["validation"]
        assert record["key"] == other["key"]
        np.testing.assert_array_equal(prediction, same)
    assert not np.array_equal(one[0][1], one[1][1]), "two seeds gave one model"
    assert one[0][0]["scores"]["accuracy"] > 0.9
    assert one[0][0]["chance"] == 1 / 3


def test_rows_without_any_modality_get_the_prior(mmbench, tmp_path):
    done = mmbench("run", "-m", "good", "-d", "holes", "--seeds", "1")
    assert done.returncode == 0, done.stderr
    record, prediction = results(tmp_path)[0]
    lost = np.isclose(prediction, 1 / 3, atol=0.05).all(1)
    assert 5 <= lost.sum() <= 30  # a quarter of 60, give or take
    assert len(np.unique(prediction[lost], axis=0)) == 1
    assert record["scores"]["accuracy"] > 0.6


def test_a_record_says_what_made_it(mmbench, tmp_path):
    mmbench("run", "-m", "good[width=4,lr=0.02]", "-d", "tiny", "--seeds", "1")
    record = json.loads(next(tmp_path.glob("results/**/seed0*.json")).read_text())
    assert record["identity"]["parameters"] == {"lr": 0.02, "width": 4}
    assert record["configuration"]["width"] == 4
    assert record["configuration"]["training.lr"] == 0.02
    assert record["configuration"]["training.batch"] == 32
    assert record["cost"]["parameters"] > 0
    assert record["provenance"]["libraries"]["torch"]
    assert record["task"]["sizes"] == {"train": 96, "validation": 48, "test": 60}
