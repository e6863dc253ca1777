"""Folders of a person's own data, as tests lay them down, and what becomes of them."""

import csv
import io
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmbench.core.spec import parse_spec
from mmbench.data.own.place import dataset_at
from mmbench.data.source import Source
from mmbench.registry import load

TOP = 'name = "mine"\n'
TASK = 'target = "label"\n[task]\nkind = "classification"\nclasses = ["cat", "dog"]\n'
FILES = '[split]\ntrain = "train.csv"\nvalidation = "validation.csv"\ntest = "test.csv"\n'
VECTOR = '[modalities.a]\nkind = "vector"\ncolumn = "a"\n'


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test asks the Hub."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for data."""
    path = tmp_path / "mydata"
    path.mkdir()
    return path


def write_csv(path: Path, columns: Mapping[str, Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def png(seed: int = 0, height: int = 4, width: int = 5, mode: str = "RGB") -> bytes:
    """An image file of noise."""
    channels = {"RGB": 3, "L": 1}[mode]
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels if channels == 3 else pixels[..., 0]).save(buffer, "PNG")
    return buffer.getvalue()


def wav(frequency: float = 440.0, seconds: float = 0.5, rate: int = 8000, dtype: str = "int16") -> bytes:
    """A WAV file of a tone at half scale."""
    from scipy.io import wavfile

    tone = 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)
    scaled = {"int16": tone * 2**15, "int32": tone * 2**31, "uint8": tone * 128 + 128, "float32": tone}[dtype]
    buffer = io.BytesIO()
    wavfile.write(buffer, rate, np.round(scaled).astype(dtype) if dtype != "float32" else scaled.astype(dtype))
    return buffer.getvalue()


Lay = Callable[..., Path]


@pytest.fixture
def lay(folder: Path) -> Lay:
    """``lay(card, {path: columns or bytes})``: a folder with data; CSV tables, files as they are."""

    def write(card: str, files: Mapping[str, object]) -> Path:
        (folder / "mmbench.toml").write_text(card)
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            elif path.suffix == ".npz":
                np.savez(path, **content)
            elif path.suffix == ".parquet":
                import pyarrow as pa
                import pyarrow.parquet as pq

                pq.write_table(content if isinstance(content, pa.Table) else pa.table(content), path)
            else:
                write_csv(path, content)
        return folder

    return write


@pytest.fixture
def made() -> Callable[[object], Source]:
    """``made(place)``: what the builder gives for ``-d place``."""

    def make(place: object) -> Source:
        card, parameters = dataset_at(parse_spec(str(place)))
        return load(card)(**{**card.preset, **parameters})

    return make


@pytest.fixture
def three() -> Callable[..., dict[str, dict[str, list]]]:
    """``three(label=…, a=…)``: the same columns as train, validation and test tables."""

    def tables(**changes: list) -> dict[str, dict[str, list]]:
        columns = {"a": [1, 2, 3, 4], "label": ["cat", "dog", "cat", "dog"], **changes}
        return {f"{name}.csv": dict(columns) for name in ("train", "validation", "test")}

    return tables


def array(split: object, column: str) -> np.ndarray:
    """A column of a made split as an array."""
    return np.array(split.with_format("numpy")[column])


@pytest.fixture
def mmbench(tmp_path: Path, own_cache: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``mmbench WORDS…`` in the test's folder, without a network."""
    environment = {
        **os.environ,
        "MMBENCH_CACHE": str(own_cache),
        "HF_HOME": str(tmp_path / "hf"),
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")]),
    }

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mmbench", *words]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
        )

    return run
