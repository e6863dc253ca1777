"""Tasks and random splits of every kind of modality, for the tests of a plugin."""

import torch

from mmbench.core.modality import Modality
from mmbench.core.task import BERNOULLI, Task, TaskKind
from mmbench.nn.records import Inputs, Split

MODALITIES = {
    "vector": Modality("vector", "vector", (5,)),
    "image": Modality("image", "image", (2, 8, 8)),
    "wide": Modality("wide", "image", (1, 6, 12)),
    "spectrogram": Modality("spectrogram", "spectrogram", (1, 6, 10)),
    "sequence": Modality("sequence", "sequence", (6, 3)),
    "fast": Modality("fast", "sequence", (12, 2), rate=2.0),
    "frames": Modality("frames", "sequence", (4, 2, 6, 6)),
    "tokens": Modality("tokens", "tokens", (6,), vocabulary=11),
}


def make_task(kind: TaskKind, modalities: str, outputs: int = 3) -> Task:
    """A task of some of ``MODALITIES``: ``make_task("classification", "image vector vector")``.

    Anomaly and verification have one output, whatever ``outputs`` says.
    """
    chosen = [MODALITIES[name] for name in modalities.split()]
    named = tuple(
        Modality(f"{m.name}{i}", m.kind, m.shape, m.vocabulary, m.rate, m.encoder) for i, m in enumerate(chosen)
    )
    return Task(kind, 1 if kind in ("anomaly", "verification") else outputs, named)


def make_split(
    task: Task, rows: int = 32, seed: int = 0, missing: bool = False, dtype: torch.dtype = torch.float32
) -> Split:
    """Random inputs and targets, sequences and tokens of random lengths; with ``missing``, about four in
    ten modalities are absent, never all of a row."""
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
