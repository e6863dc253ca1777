"""HAPT: what somebody does, or who it is, from the accelerometer and the gyroscope of a phone at the waist."""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from mmbench.core.parameters import Range
from mmbench.data.draws import Columns, tables
from mmbench.data.real import _files
from mmbench.data.real._parts import held_out_groups
from mmbench.data.real.cards.actions import HAPT, HAPT_STEPS, hapt, hapt_auth
from mmbench.data.source import SPLITS, Source

VALIDATION = (5, 11, 17, 23)  # people of train
ACTIVITIES = 6  # the basic ones come first; the rest are short transitions
WALKING = 3  # level, up and down come first
REGISTERED = (1, 2, 3, 4, 5, 6)  # people, for authentication
IMPOSTORS = {"train": tuple(range(7, 19)), "validation": tuple(range(19, 23)), "test": tuple(range(23, 31))}


def build(*, every: Annotated[int, Range(1, 8)] = 2) -> Source:
    """Which of six activities: ``accelerometer`` in g and ``gyroscope`` in rad/s.

    Args:
        every: keep one of so many windows of train, which overlap by half; 1 keeps all.
    """
    stored = _files.npz("hapt", "hapt_inertial")
    basic = stored["window_label"] <= ACTIVITIES
    user, label = (stored[f"window_{name}"].astype(np.int64) for name in ("user", "label"))
    parts = held_out_groups(np.where(basic, stored["window_split"], "none"), user, VALIDATION)
    parts["train"] = parts["train"][::every]
    columns = {
        part: {**_windows(stored, rows), "target": label[rows] - 1, "group": user[rows]} for part, rows in parts.items()
    }
    task = hapt()
    return Source(task, tables(task, columns))


def build_auth(*, every: Annotated[int, Range(1, 8)] = 1) -> Source:
    """Is this one of the registered people? 1 if so, from windows of walking (level, upstairs, downstairs).

    Six people are registered. Train holds their first recordings, in which they enrol, and those of
    twelve other people. Validation and test hold the earlier and the later half of their second
    recordings, and the second recordings of four and of eight people that train has never seen.

    Args:
        every: as in ``build``.
    """
    stored = _files.npz("hapt", "hapt_inertial")
    user, start = stored["window_user"].astype(np.int64), stored["window_start"]
    walking = stored["window_label"] <= WALKING
    first = stored["window_recording"] == _first_recording(stored)[user]
    registered = np.isin(user, REGISTERED)
    later = np.zeros(len(user), dtype=bool)
    for person in REGISTERED:
        mine = walking & ~first & (user == person)
        middle = np.median(start[mine])
        later |= mine & (start >= middle)
        walking &= ~(mine & (start < middle) & (start + HAPT_STEPS > middle))  # it lies in both halves
    of_split = {
        "train": first & (registered | np.isin(user, IMPOSTORS["train"])),
        "validation": ~first & (registered & ~later | np.isin(user, IMPOSTORS["validation"])),
        "test": ~first & (later | np.isin(user, IMPOSTORS["test"])),
    }
    task = hapt_auth()
    columns = {}
    for name in SPLITS:
        rows = np.flatnonzero(walking & of_split[name])[:: every if name == "train" else 1]
        target = registered[rows].astype(np.float32)[:, None]
        columns[name] = {**_windows(stored, rows), "target": target, "group": user[rows]}
    return Source(task, tables(task, columns))


def _first_recording(stored: dict[str, NDArray[Any]]) -> NDArray[np.int64]:
    """(31,) the recording that each person made first."""
    user, recording = stored["recording_user"], np.arange(len(stored["recording_user"]))
    return np.array([recording[user == person].min(initial=len(user)) for person in range(31)])


def _windows(stored: dict[str, NDArray[Any]], rows: NDArray[np.int64]) -> Columns:
    """(N,128,3) of both sensors."""
    frames = stored["window_start"][rows][:, None] + np.arange(HAPT_STEPS)
    return {name: (stored[short][frames] * stored[f"{short}_scale"]).astype(np.float32) for name, short in HAPT.items()}
