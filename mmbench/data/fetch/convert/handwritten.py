"""Handwritten: six views of 2000 digits, and the split that was published with TMC."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

from mmbench.core.errors import MmbenchError

VIEWS = ("pix", "fou", "fac", "zer", "kar", "mor")


def convert(raw: Path, out: Path) -> None:
    """``handwritten.mat`` and ``handwritten_6views.mat`` (the split) to ``handwritten_6views.npz``."""
    import numpy as np
    from scipy.io import loadmat

    whole, parts = loadmat(raw / "handwritten.mat"), loadmat(raw / "handwritten_6views.mat")
    views = list(whole["X"].ravel())
    columns: dict[str, Any] = {
        name: view.astype(np.float32) if view.dtype.kind == "f" else view
        for name, view in zip(VIEWS, views, strict=True)
    }
    columns["label"] = whole["Y"].ravel().astype(np.int8)
    columns["split_tmc"] = _split(_rows(views), parts)
    np.savez_compressed(out / "handwritten_6views.npz", **columns)


def _rows(views: list[Any]) -> list[bytes]:
    """The content of every row over all views."""
    import numpy as np

    joined = np.concatenate([view.astype("<f8") for view in views], axis=1)
    return [row.tobytes() for row in joined]


def _split(rows: list[bytes], parts: dict[str, Any]) -> "NDArray[np.str_]":
    """Part of each row, found by its content. Of rows that are equal, those of ``train`` come first."""
    import numpy as np

    free: dict[bytes, list[int]] = {}
    for number, row in enumerate(rows):
        free.setdefault(row, []).append(number)
    split = np.full(len(rows), "", "<U5")
    for part in ("train", "test"):
        for row in _rows([parts[f"x{view}_{part}"] for view in range(1, len(VIEWS) + 1)]):
            if not free.get(row):
                raise MmbenchError(f"a row of the published split ({part}) is not among the {len(rows)} rows")
            split[free[row].pop(0)] = part
    if (split == "").any():
        raise MmbenchError(f"{(split == '').sum()} rows stand in no part of the published split")
    return split
