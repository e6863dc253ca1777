"""Tasks and random splits of every kind of modality."""

from collections.abc import Callable

import pytest
import torch

from mmbench import BERNOULLI, Inputs, Modality, Split, Task, TaskKind

torch.set_num_threads(1)  # the tensors are small: more threads only wait for each other

MODALITIES = {
    "vector": ("vector", (5,), {}),
    "image": ("image", (2, 8, 8), {}),
    "wide": ("image", (1, 6, 12), {}),
    "spectrogram": ("spectrogram", (1, 6, 10), {}),
    "sequence": ("sequence", (6, 3), {}),
    "fast": ("sequence", (12, 2), {"rate": 2.0}),
    "frames": ("sequence", (4, 2, 6, 6), {}),
    "tokens": ("tokens", (6,), {"vocabulary": 11}),
}


@pytest.fixture(scope="session")
def make_task() -> Callable[..., Task]:
    """``make_task("classification", "image vector vector")``: a task of those modalities."""

    def make(kind: TaskKind, modalities: str, outputs: int = 3) -> Task:
        outputs = 1 if kind in ("anomaly", "verification") else outputs
        built = []
        for i, name in enumerate(modalities.split()):
            kind_of, shape, more = MODALITIES[name]
            built.append(Modality(f"{name}{i}", kind_of, shape, **more))
        return Task(kind, outputs, tuple(built))

    return make


@pytest.fixture(scope="session")
def make_split() -> Callable[..., Split]:
    """``make_split(task, rows)``: random inputs and targets; with ``missing``, some are absent."""

    def make(task: Task, rows: int = 32, seed: int = 0, missing: bool = False, dtype=torch.float32) -> Split:
        g = torch.Generator().manual_seed(seed)
        values, lengths = {}, {}
        for modality in task.modalities:
            shape = (rows, *modality.shape)
            if modality.kind == "tokens":
                values[modality.name] = torch.randint(1, modality.vocabulary, shape, generator=g)
            else:
                values[modality.name] = torch.randn(shape, generator=g, dtype=dtype)
            if modality.timed:
                length = torch.randint(1, modality.shape[0] + 1, (rows,), generator=g)
                real = torch.arange(modality.shape[0]) < length[:, None]
                lengths[modality.name] = length
                values[modality.name] *= real.reshape(*real.shape, *[1] * (len(shape) - 2))
        count = len(task.modalities)
        present = torch.ones(rows, count, dtype=torch.bool)
        if missing and count > 1:
            present = torch.rand(rows, count, generator=g) > 0.4
            present[torch.arange(rows), torch.arange(rows) % count] = True
        inputs = Inputs(values, torch.ones_like(present), lengths).keep(present)
        if task.kind == "classification":
            return Split(inputs, torch.arange(rows) % task.outputs)
        target = torch.randn(rows, task.outputs, generator=g, dtype=dtype)
        return Split(inputs, (target > 0).to(dtype) if task.kind in BERNOULLI else target)

    return make
