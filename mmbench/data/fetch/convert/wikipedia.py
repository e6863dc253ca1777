"""Wikipedia image-text: features of both parts from one MATLAB file, ids and labels from two lists."""

from pathlib import Path
from typing import Any

PARTS = {"train": "tr", "test": "te"}
FEATURES = {"image": "I", "text": "T", "text_tfidf": "T_tfidf"}


def convert(raw: Path, out: Path) -> None:
    """``data/raw_features.mat`` and ``data/{train,test}set_txt_img_cat.list`` to ``wikipedia_features.npz``."""
    import numpy as np
    from scipy.io import loadmat

    features = loadmat(raw / "data" / "raw_features.mat")
    columns: dict[str, Any] = {}
    for part, short in PARTS.items():
        lines = (raw / "data" / f"{part}set_txt_img_cat.list").read_text(encoding="utf-8").splitlines()
        texts, images, labels = zip(*(line.split("\t") for line in lines), strict=True)
        for name, letter in FEATURES.items():
            columns[f"{name}_{part}"] = np.asarray(features[f"{letter}_{short}"], np.float32)
        columns[f"label_{part}"] = np.array([int(label) for label in labels], np.int8)
        columns[f"text_id_{part}"] = np.array(texts)
        columns[f"image_id_{part}"] = np.array(images)
    np.savez_compressed(out / "wikipedia_features.npz", **columns)
