"""What converters share: Parquet tables that hold files, and the header of a WAV file."""

import io
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROWS = 500  # in a row group: a reader need not hold all recordings at once


def files_type() -> Any:
    """The Arrow type of a column of files: their bytes and their names."""
    import pyarrow as pa

    return pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def write_table(columns: Mapping[str, Any], path: Path) -> None:
    """Write Arrow arrays as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(dict(columns)), path, compression="zstd", row_group_size=ROWS)


def wav_format(content: bytes) -> tuple[int, int]:
    """Samples per second, and samples, of a WAV file."""
    with wave.open(io.BytesIO(content)) as opened:
        return opened.getframerate(), opened.getnframes()
