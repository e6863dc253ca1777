"""HAPT: printed accelerometer and gyroscope recordings to the sensors' own steps, cut into windows."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME = re.compile(r"acc_exp(\d+)_user(\d+)\.txt")
ACC_STEP = 1 / 720  # g
GYRO_STEP = 0.0175  # degrees per second
WINDOW, STRIDE = 128, 64  # samples of 1/50 s
BASIC = 6  # activities 1-6 last; 7-12 are the transitions between them


def convert(raw: Path, out: Path) -> None:
    """``RawData/{acc,gyro}_exp*_user*.txt``, ``labels.txt`` and the test persons to ``hapt_inertial.npz``."""
    import numpy as np

    folder = raw / "HAPT Data Set"
    paths = sorted(path for path in (folder / "RawData").iterdir() if NAME.fullmatch(path.name))
    gyro_step = np.deg2rad(GYRO_STEP)
    acc = [_steps(path, ACC_STEP) for path in paths]
    gyro = [_steps(path.with_name(path.name.replace("acc_", "gyro_", 1)), gyro_step) for path in paths]
    people = [(int(experiment), int(user)) for experiment, user in (_numbers(path) for path in paths)]
    offset = np.concatenate([[0], np.cumsum([len(part) for part in acc])]).astype(np.int64)
    segment = np.loadtxt(folder / "RawData" / "labels.txt", dtype=np.int32, ndmin=2)
    windows = _windows(segment, people, offset)
    tested = np.unique(np.loadtxt(folder / "Test" / "subject_id_test.txt", dtype=np.int64, ndmin=1))
    start, label, recording = windows.T
    users = np.array([user for _, user in people], np.int8)
    np.savez_compressed(
        out / "hapt_inertial.npz",
        acc=np.concatenate(acc),
        gyro=np.concatenate(gyro),
        acc_scale=np.float64(ACC_STEP),
        gyro_scale=np.float64(gyro_step),
        recording_offset=offset,
        recording_experiment=np.array([experiment for experiment, _ in people], np.int8),
        recording_user=users,
        segment=segment,
        window_start=start,
        window_label=label.astype(np.int8),
        window_recording=recording.astype(np.int16),
        window_user=users[recording],
        window_split=np.where(np.isin(users[recording], tested), "test", "train").astype("<U5"),
    )


def _numbers(path: Path) -> tuple[str, str]:
    """Experiment and user in the name of a file."""
    parts = NAME.fullmatch(path.name)
    assert parts is not None  # the names were chosen by it
    return parts[1], parts[2]


def _steps(path: Path, step: float) -> "NDArray[np.int16]":
    """(T, 3) of printed numbers, in steps of the sensor."""
    import numpy as np

    values = np.loadtxt(path, dtype=np.float64, ndmin=2)
    return np.round(values / step).astype(np.int16)


def _windows(
    segments: "NDArray[np.int32]", people: list[tuple[int, int]], offset: "NDArray[np.int64]"
) -> "NDArray[np.int64]":
    """(W, 3): first row, label and recording, in the order of the segments.

    Segments count samples from 1 and include the last. A basic activity is cut every ``STRIDE`` samples; a
    transition is one window around its middle, moved as far as it must to stay in its recording.
    """
    import numpy as np

    known = {pair: number for number, pair in enumerate(people)}
    windows = []
    for experiment, user, label, first, last in segments.tolist():
        recording = known[experiment, user]
        begin, end = int(offset[recording]), int(offset[recording + 1])
        if label <= BASIC:
            starts = list(range(first - 1, last - WINDOW + 1, STRIDE))
        else:
            middle = (first - 1 + last) // 2
            starts = [min(max(middle - WINDOW // 2, 0), end - begin - WINDOW)]
        windows += [(begin + start, label, recording) for start in starts]
    return np.array(windows, np.int64).reshape(-1, 3)
