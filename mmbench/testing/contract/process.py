"""What a method must leave as it was: its inputs, and the process."""

import os
import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.utils import _pytree as pytree

from mmbench.core.task import Task
from mmbench.nn.heads import Criterion
from mmbench.nn.models import FusionModel
from mmbench.nn.records import Batch, Split
from mmbench.testing.contract.check import require
from mmbench.testing.contract.data import ALL, draw, separable, task_of
from mmbench.testing.contract.subject import Subject

# State that outlives a method, and how it is read.
READINGS: dict[str, Callable[[], Any]] = {
    "torch's default dtype": torch.get_default_dtype,
    "torch's default device": torch.get_default_device,
    "torch's gradient mode": torch.is_grad_enabled,
    "torch's number of threads": torch.get_num_threads,
    "torch's deterministic algorithms": torch.are_deterministic_algorithms_enabled,
    "torch's float32 precision": torch.get_float32_matmul_precision,
    "torch's anomaly detection": torch.is_anomaly_enabled,
    "cuDNN's flags": lambda: [torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic],
    "autocast": lambda: torch.is_autocast_enabled("cpu"),
    "the filters of warnings": lambda: list(warnings.filters),
    "NumPy's handling of errors": np.geterr,
    "the environment": lambda: {
        name: x for name, x in os.environ.items() if not name.startswith("TORCH")
    },  # torch's own
    "the working directory": os.getcwd,
}


def inputs(subject: Subject) -> None:
    """Neither training nor prediction writes into the tensors that it is given."""
    for mix in subject.mixes((ALL,)):
        task = task_of(subject.card, mix)
        train, validation = draw(subject.card, task, 32, 1), draw(subject.card, task, 16, 2)
        before = _written(train, validation)
        if subject.is_model:
            _forward(task, subject.model(task, train), train)
        else:
            subject.fit(task, train, validation, epochs=1).predict(validation.withheld())
        after = _written(train, validation)
        require(
            before == after,
            f"it writes into {', '.join(name for name in before if before[name] != after[name])} of the splits that it "
            "is given, which other seeds use too; copy a tensor before changing it",
        )


def globals_(subject: Subject) -> None:
    """Building, training and predicting change no setting of the process, and reseed no random stream."""
    task = task_of(subject.card, subject.mixes(("vector sequence", "vector vector", "vector", "image"))[0])
    train, validation = (separable(task, rows, seed, subject.card.missing) for rows, seed in ((32, 0), (16, 1)))
    before, filters = {name: read() for name, read in READINGS.items()}, list(warnings.filters)
    streams = []
    try:
        for seed in (0, 1):
            subject.fit(task, train, validation, seed, epochs=1).predict(validation.withheld())
            streams.append(_streams())
        changed = [name for name, read in READINGS.items() if read() != before[name]]
    finally:
        warnings.filters[:] = filters  # type: ignore[index]
    require(not changed, f"it changes {', '.join(changed)}: a method leaves the process as it was")
    same = [name for name in streams[0] if streams[0][name] == streams[1][name]]
    require(
        not same,
        f"it seeds {', '.join(same)} itself: after two seeds' trainings the stream stands at the same place; the "
        "harness seeds it, and draws of one's own come from a torch.Generator",
    )


def _forward(task: Task, model: FusionModel, train: Split) -> None:
    """Output and loss in both modes, of the very tensors of the split."""
    batch = Batch(train.inputs, train.target, torch.arange(len(train)), torch.zeros((), dtype=torch.float64))
    for training in (True, False):
        model.train(training)
        model.loss(model(train.inputs), batch, Criterion(task))


def _written(*splits: Split) -> dict[str, int]:
    """How often each tensor was written to, directly or through a view."""
    return {
        f"split {i}{pytree.keystr(path)}": x._version
        for i, split in enumerate(splits)
        for path, x in pytree.tree_flatten_with_path(split)[0]
        if isinstance(x, torch.Tensor)
    }


def _streams() -> dict[str, object]:
    return {
        "torch's random stream": torch.get_rng_state().tolist(),
        "NumPy's random stream": np.random.get_state(legacy=False)["state"]["key"].tolist(),
        "Python's random stream": random.getstate(),
    }
