"""ESC-50, fold 4: from 5 s at 44.1 kHz to the loudest 2 s at 8 kHz."""

import csv
import io
import shutil
import wave
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmbench.core.errors import MmbenchError
from mmbench.data.fetch.convert.tables import files_type, write_table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE, UP, DOWN = 8000, 80, 441  # samples per second wanted; 44100 × 80 / 441
SOURCE_RATE = 44100
SECONDS = 2
STEP = 800  # samples between the windows that are compared, 0.1 s
SCALE = 32767 / 32768  # from steps of 1/32768 to steps of 1/32767


def convert(raw: Path, out: Path) -> None:
    """``audio/4-*.wav``, ``meta/esc50.csv`` and ``LICENSE`` to the table of clips, sorted by name."""
    import pyarrow as pa

    with (raw / "meta" / "esc50.csv").open(newline="") as opened:
        meta = {row["filename"]: row for row in csv.DictReader(opened)}
    paths = sorted((raw / "audio").glob("4-*.wav"), key=lambda path: path.name)
    rows = [meta[path.name] for path in paths]
    clips = [_loudest(path) for path in paths]
    names = [path.name for path in paths]
    columns = {
        "path": pa.array(names),
        "target": pa.array([int(row["target"]) for row in rows], pa.int8()),
        "category": pa.array([row["category"] for row in rows]),
        "fold": pa.array([int(row["fold"]) for row in rows], pa.int8()),
        "esc10": pa.array([row["esc10"] == "True" for row in rows]),
        "src_file": pa.array([row["src_file"] for row in rows]),
        "offset_seconds": pa.array([offset / RATE for _, offset in clips], pa.float32()),
        "rms": pa.array([_rms(clip) for clip, _ in clips], pa.float32()),
        "sampling_rate": pa.array([RATE] * len(clips), pa.int32()),
        "num_samples": pa.array([len(clip) for clip, _ in clips], pa.int32()),
        "audio": pa.array(
            [{"bytes": _wav(clip), "path": name} for (clip, _), name in zip(clips, names, strict=True)], files_type()
        ),
    }
    write_table(columns, out / "esc50_fold4_8khz_2s.parquet")
    shutil.copyfile(raw / "LICENSE", out / "ESC-50-LICENSE-and-attributions.txt")


def _loudest(path: Path) -> tuple["NDArray[np.int16]", int]:
    """The window with most energy, the first of equals, (16000,), and the sample that it starts with."""
    import numpy as np
    from scipy.io import wavfile
    from scipy.signal import resample_poly

    rate, samples = wavfile.read(path)
    if rate != SOURCE_RATE or samples.dtype != np.int16 or samples.ndim != 1:
        raise MmbenchError(f"{path.name} is not one channel of 16 bit at {SOURCE_RATE} Hz")
    slow: Any = resample_poly(samples.astype(np.float64), UP, DOWN)
    wide = SECONDS * RATE
    starts = np.arange(0, max(1, len(slow) - wide + 1), STEP)
    energy = np.concatenate([[0.0], np.cumsum(slow**2)])
    start = int(starts[np.argmax(energy[np.minimum(starts + wide, len(slow))] - energy[starts])])
    clip = np.clip(np.round(slow[start : start + wide] * SCALE), -32768, 32767).astype(np.int16)
    return clip, start


def _rms(clip: "NDArray[np.int16]") -> float:
    import numpy as np

    return float(np.sqrt(np.mean((clip / 32768) ** 2)))


def _wav(clip: "NDArray[np.int16]") -> bytes:
    """One channel, 16 bit, at ``RATE``."""
    file = io.BytesIO()
    with wave.open(file, "wb") as opened:
        opened.setnchannels(1)
        opened.setsampwidth(2)
        opened.setframerate(RATE)
        opened.writeframes(clip.astype("<i2").tobytes())
    return file.getvalue()
