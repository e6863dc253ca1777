"""Data of the benchmarks: noise, in which two classes lie a little apart."""

import datasets
import numpy as np
from mmbench_bench import SMALL, WIDE

from mmbench import Source
from mmbench.data.source import table


def small() -> Source:
    return _source(SMALL, {"train": 96, "validation": 48, "test": 48})


def wide(*, rows: int = 20_000) -> Source:
    return _source(WIDE, {"train": rows, "validation": rows // 40 + 20, "test": rows // 40 + 20})


def _source(task, sizes):
    splits = {name: _split(task, np.random.default_rng([7, i]), n) for i, (name, n) in enumerate(sizes.items())}
    return Source(task, datasets.DatasetDict(splits))


def _split(task, rng, rows):
    target = np.arange(rows) % 2
    shift = 0.1 * target[:, None].astype(np.float32)
    columns = {m.name: rng.standard_normal((rows, *m.shape), np.float32) + shift for m in task.modalities}
    return table(task, {**columns, "target": target})
