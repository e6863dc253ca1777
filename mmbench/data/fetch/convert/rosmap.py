"""ROSMAP: three kinds of omics features from CSV files, train rows first."""

from pathlib import Path
from typing import Any

KINDS = {"mrna": 1, "methylation": 2, "mirna": 3}


def convert(raw: Path, out: Path) -> None:
    """``ROSMAP/{1,2,3}_{tr,te,featname}.csv`` and ``labels_{tr,te}.csv`` to ``rosmap.npz``."""
    import numpy as np

    folder = raw / "ROSMAP"
    columns: dict[str, Any] = {}
    for name, number in KINDS.items():
        parts = [_numbers(folder / f"{number}_{part}.csv") for part in ("tr", "te")]
        columns[name] = np.concatenate(parts).astype(np.float32)
        named = (folder / f"{number}_featname.csv").read_text(encoding="utf-8").splitlines()
        columns[f"{name}_features"] = np.array(named)
    labels = [_numbers(folder / f"labels_{part}.csv").ravel() for part in ("tr", "te")]
    columns["label"] = np.concatenate(labels).astype(np.int8)
    columns["split"] = np.repeat(["train", "test"], [len(part) for part in labels])
    np.savez_compressed(out / "rosmap.npz", **columns)


def _numbers(path: Path) -> Any:
    import numpy as np

    return np.loadtxt(path, dtype=np.float64, delimiter=",", ndmin=2)
