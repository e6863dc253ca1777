"""UTD-MHAD: inertial and skeleton sequences as published, depth video made small."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME = re.compile(r"a(\d+)_s(\d+)_t(\d+)_inertial\.mat")
FRAMES = 16  # of each clip, evenly spread
BLOCK = 4  # pixels a side that become one
FILLED = 8  # pixels of a block that have to be other than background
STEP = 16  # mm of one grey level


def convert(raw: Path, out: Path) -> None:
    """``data/{Inertial,Skeleton,Depth}/a<action>_s<subject>_t<trial>_<kind>.mat``, sorted by those three numbers."""
    import numpy as np
    from scipy.io import loadmat

    data = raw / "data"
    found = (NAME.fullmatch(path.name) for path in (data / "Inertial").iterdir())
    keys = sorted((int(name[1]), int(name[2]), int(name[3])) for name in found if name)

    def read(kind: str, variable: str, key: tuple[int, int, int]) -> Any:
        name = "a{}_s{}_t{}".format(*key)
        return loadmat(data / kind / f"{name}_{kind.lower()}.mat", variable_names=[variable])[variable]

    inertial = [read("Inertial", "d_iner", key).astype(np.float32) for key in keys]
    skeleton = [read("Skeleton", "d_skel", key).transpose(2, 0, 1).astype(np.float32) for key in keys]
    action, subject, trial = np.array(keys).T
    np.savez_compressed(
        out / "utd_mhad_inertial_skeleton.npz",
        inertial=np.concatenate(inertial),
        inertial_offset=_offset(inertial),
        skeleton=np.concatenate(skeleton),
        skeleton_offset=_offset(skeleton),
        label=(action - 1).astype(np.int8),
        subject=subject.astype(np.int8),
        trial=trial.astype(np.int8),
        split_cross_subject=np.where(subject % 2 == 1, "train", "test").astype("<U5"),
    )
    small, frames = zip(*(_small(read("Depth", "d_depth", key)) for key in keys), strict=True)
    np.savez_compressed(
        out / "utd_mhad_depth16.npz",
        depth=np.stack(small),
        num_frames=np.array(frames, np.int16),
        key=np.array(keys, np.int16),
    )


def _offset(parts: list[Any]) -> "NDArray[np.int64]":
    """First row of each part, and the end."""
    import numpy as np

    return np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)


def _small(depth: Any) -> tuple["NDArray[np.uint8]", int]:
    """(height, width, T) uint16 in mm to (FRAMES, height/4, width/4), and T.

    A block is the mean of its pixels that are not background, and background where too few are.
    """
    import numpy as np

    height, width, frames = depth.shape
    chosen = np.round(np.linspace(0, frames - 1, FRAMES)).astype(int)
    blocks = depth[:, :, chosen].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, FRAMES).astype(np.float64)
    filled = (blocks > 0).sum((1, 3))
    mean = np.where(filled >= FILLED, blocks.sum((1, 3)) / np.maximum(filled, 1), 0.0)
    grey = np.clip(np.round(mean / STEP), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(grey.transpose(2, 0, 1)), frames
