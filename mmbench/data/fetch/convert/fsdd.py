"""Free Spoken Digit Dataset: the WAV files as they are, in one table."""

import re
from pathlib import Path

from mmbench.data.fetch.convert.tables import files_type, wav_format, write_table

NAME = re.compile(r"(\d)_([a-z]+)_(\d+)\.wav")
TEST = 5  # recordings 0-4 of every speaker and digit are the official test part


def convert(raw: Path, out: Path) -> None:
    """``recordings/<digit>_<speaker>_<index>.wav`` to ``fsdd.parquet``, sorted by split, speaker, digit, index."""
    import pyarrow as pa

    rows = []
    for path in (raw / "recordings").iterdir():
        parts = NAME.fullmatch(path.name)
        if parts:
            index = int(parts[3])
            rows.append(("test" if index < TEST else "train", parts[2], int(parts[1]), index, path))
    rows.sort()
    splits, speakers, digits, indices, paths = zip(*rows, strict=True)
    audio = [path.read_bytes() for path in paths]
    names = [path.name for path in paths]
    rates, lengths = zip(*map(wav_format, audio), strict=True)
    columns = {
        "path": pa.array(names),
        "digit": pa.array(digits, pa.int8()),
        "speaker": pa.array(speakers),
        "index": pa.array(indices, pa.int16()),
        "split": pa.array(splits),
        "sampling_rate": pa.array(rates, pa.int32()),
        "num_samples": pa.array(lengths, pa.int32()),
        "audio": pa.array([{"bytes": b, "path": n} for b, n in zip(audio, names, strict=True)], files_type()),
    }
    write_table(columns, out / "fsdd.parquet")
