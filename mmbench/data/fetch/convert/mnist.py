"""MNIST: the files as they were published are the files that are wanted."""

import shutil
from pathlib import Path


def convert(raw: Path, out: Path) -> None:
    """Copies ``*-ubyte.gz``: idx files, uint8."""
    for path in sorted(raw.glob("*-ubyte.gz")):
        shutil.copyfile(path, out / path.name)
