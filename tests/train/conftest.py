"""Small data that can be learnt, small models that learn them, and one way to train."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mmbench import FusionModel, FusionOutput, Head, Inputs, Modality, ModalityEncoders, Split, Stage, Task, Training
from mmbench.train.run import CellRun

MODALITIES = (Modality("left", "vector", (6,)), Modality("right", "vector", (4,)))


class Late(FusionModel):
    """The least method: encoders, concatenation, head."""

    def __init__(self, task, width=16, hidden=0):
        super().__init__()
        self.encode = ModalityEncoders(task, width)
        self.head = Head(task, width * len(task.modalities), hidden, dropout=0.3)

    def forward(self, inputs):
        encoded = self.encode(inputs)
        fused = encoded.concat()
        return FusionOutput(self.head(fused), encoded.vectors, fused, losses={})


class Bias(FusionModel):
    """Predicts the same for every row: what it does under a given option can be told beforehand."""

    def __init__(self, task):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(task.outputs))

    def forward(self, inputs):
        return FusionOutput(self.bias.expand(len(inputs), -1))


def draw_split(task, rows, seed=0):
    """A target that each modality tells something about and both together tell well."""
    source = torch.Generator().manual_seed(seed)
    laws = torch.Generator().manual_seed(12345)  # the same for every split
    width = max(task.outputs, 2)
    if task.kind == "classification":
        target = torch.randint(0, task.outputs, (rows,), generator=source)
        hidden = nn.functional.one_hot(target, width).float() * 3
    elif task.kind == "regression":
        hidden = torch.randn(rows, width, generator=source)
        target = hidden[:, : task.outputs]
    else:
        signs = torch.randint(0, 2, (rows, width), generator=source).float()
        hidden, target = signs * 4 - 2, signs[:, : task.outputs]
    values = {}
    for modality in task.modalities:
        mix = torch.randn(width, *modality.shape, generator=laws)
        values[modality.name] = hidden @ mix + 0.1 * torch.randn(rows, *modality.shape, generator=source)
    return Split(Inputs(values, torch.ones(rows, len(task.modalities), dtype=torch.bool)), target)


def fit(build, train, validation, task, *, seed=0, terms=(), epochs=5, run=None, **options):
    """Train as the harness does; ``options`` are those of ``Training``."""
    run = run or CellRun(task, seed)
    options.setdefault("stages", (Stage(epochs),))
    options.setdefault("lr", 0.01)
    options.setdefault("batch", 16)
    return run.train(build, train, validation, Training(**options), terms)


@pytest.fixture(scope="session")
def toys():
    """A task, its splits, models and ``fit``."""
    task = Task("classification", 3, MODALITIES)
    return SimpleNamespace(
        task=task,
        train=draw_split(task, 64),
        validation=draw_split(task, 48, seed=1),
        modalities=MODALITIES,
        late=lambda: Late(task),
        bias=lambda: Bias(task),
        Late=Late,
        Bias=Bias,
        split=draw_split,
        fit=lambda build, train, validation, **options: fit(build, train, validation, **{"task": task, **options}),
    )
