"""CMU-MOSI: features, labels and transcripts of utterances, from CSV files."""

import csv
from pathlib import Path
from typing import Any

from mmbench.core.errors import MmbenchError
from mmbench.data.fetch.convert.tables import write_table

MODALITIES = ("text", "audio", "video")


def convert(raw: Path, out: Path) -> None:
    """To ``mosi_utterance_features.npz`` and ``mosi_transcripts.parquet``, sorted by split, video and position.

    ``<modality>/<modality>_<part>0.csv`` has features and the label; ``text_<part>.csv`` begins with the row's
    number in ``transcripts.csv``, which has utterance, words, number of the video, label.
    """
    import numpy as np
    import pyarrow as pa

    data = raw / "data"
    spoken = _read(data / "transcripts.csv")
    rows = []
    for part in ("train", "test"):
        tables = [_read(data / name / f"{name}_{part}0.csv") for name in MODALITIES]
        numbers = [int(row[0]) for row in _read(data / f"text_{part}.csv")]
        for number, *features in zip(numbers, *tables, strict=True):
            utterance, words, video, label = spoken[number]
            if {feature[-1] for feature in features} != {label}:
                raise MmbenchError(f"the labels of utterance {utterance} disagree")
            name, _, position = utterance.rpartition("_")
            key = (part != "train", name, int(position))
            rows.append((key, utterance, int(video), int(label), words, [feature[:-1] for feature in features]))
    rows.sort(key=lambda row: row[0])
    keys, utterances, videos, labels, transcripts, values = zip(*rows, strict=True)
    later, names, positions = zip(*keys, strict=True)
    columns: dict[str, Any] = {
        name: np.array([row[number] for row in values], np.float64).astype(np.float32)
        for number, name in enumerate(MODALITIES)
    }
    columns |= {
        "label": np.array(labels, np.int8),
        "split": np.array(["test" if test else "train" for test in later]),
        "video_id": np.array(names),
        "position": np.array(positions, np.int16),
        "utterance_id": np.array(utterances),
        "video_number": np.array(videos, np.int16),
    }
    np.savez_compressed(out / "mosi_utterance_features.npz", **columns)
    told = {name: pa.array(columns[name].tolist()) for name in ("utterance_id", "video_id")}
    told |= {
        "position": pa.array(columns["position"]),
        "split": pa.array(columns["split"].tolist()),
        "label": pa.array(columns["label"]),
        "video_number": pa.array(columns["video_number"]),
        "transcript": pa.array(transcripts),
    }
    write_table(told, out / "mosi_transcripts.parquet")


def _read(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as opened:
        return list(csv.reader(opened))
