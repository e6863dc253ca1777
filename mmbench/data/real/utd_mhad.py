"""UTD-MHAD: which of 27 actions, from a worn sensor, a skeleton and depth video, each with a clock of its own."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mmbench.data.draws import Columns
from mmbench.data.real import _files
from mmbench.data.real._parts import held_out_groups, source
from mmbench.data.real.cards.actions import UTD_STEPS, utd_mhad
from mmbench.data.source import Source

VALIDATION = (7,)  # subject of train
HIP = 3  # joint


def build(*, depth: Literal["small", "full"] = "small") -> Source:
    """The dataset.

    ``inertial`` (326,6): acceleration in g and angular rate in degrees a second, 50 a second.
    ``skeleton`` (125,60): 20 joints in metres, relative to the hip centre of the first frame, 30 a
    second. ``depth``: frames evenly spread over the clip, bytes of 16 mm, 0 the background.

    Args:
        depth: ``small`` is (8,1,30,40), every second frame and means of 2 by 2 pixels; ``full`` (16,1,60,80).
    """
    task = utd_mhad(depth)
    stored = _files.npz("utd_mhad", "utd_mhad_inertial_skeleton")
    seen = _files.npz("utd_mhad", "utd_mhad_depth16")["depth"]
    if depth == "small":
        seen = np.rint(seen[:, ::2].reshape(-1, 8, 30, 2, 40, 2).mean((3, 5))).astype(np.uint8)
    subject = stored["subject"].astype(np.int64)
    columns: Columns = {
        **_padded("inertial", stored, UTD_STEPS["inertial"]),
        **_padded("skeleton", {**stored, "skeleton": _centred(stored)}, UTD_STEPS["skeleton"]),
        "depth": seen[:, :, None],
        "target": stored["label"].astype(np.int64),
        "group": subject,
    }
    parts = held_out_groups(stored["split_cross_subject"], subject, VALIDATION)
    return source(task, columns, parts)


def _padded(name: str, stored: dict[str, NDArray[Any]], steps: int) -> Columns:
    """(N,steps,C) with zeros after the end of each clip, and the lengths."""
    frames, offset = stored[name], stored[f"{name}_offset"]
    length = np.diff(offset).astype(np.int64)
    where = offset[:-1, None] + np.arange(steps)
    real = np.arange(steps) < length[:, None]
    values = np.where(real[..., None], frames[np.minimum(where, len(frames) - 1)], 0)
    return {name: values.astype(np.float32), f"{name}:length": length}


def _centred(stored: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    """(frames,60): joints relative to where the hip centre of their clip was at first."""
    joints, offset = stored["skeleton"], stored["skeleton_offset"]
    start = np.repeat(joints[offset[:-1], HIP], np.diff(offset), axis=0)
    return np.asarray(np.round(joints - start[:, None], 4).reshape(len(joints), -1), dtype=np.float32)
