"""Problems: synthetic data that a few epochs learn, and the models that learn them.

Shapes are those of well-known sets; what is measured is time, so the content matters only in that a
loop that trains badly would be seen.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from typing import Any, Self

import torch
import torch.nn.functional as F
from mmbench_levels.late import Late
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from mmbench import FusionModel, FusionOutput, Head, Inputs, Modality, Split, Task
from mmbench.core.arithmetic import Arithmetic
from mmbench.train.fitted import FittedModel
from mmbench.train.run import CellRun


@dataclass(frozen=True)
class Problem:
    """A task with data, and how one model is trained on it.

    Attributes:
        name: in the report.
        task: to be done.
        build: makes the model.
        train, validation: with targets, all modalities present.
        batch, lr, epochs: of the training.
    """

    name: str
    task: Task
    build: Callable[[], FusionModel]
    train: Split
    validation: Split
    batch: int
    lr: float = 1e-3
    epochs: int = 1

    @property
    def steps(self) -> int:
        """Of one epoch; the ragged last batch is dropped."""
        return len(self.train) // self.batch

    def options(self, epochs: int | None = None) -> dict[str, object]:
        """Of the harness's trainer: no early stopping."""
        epochs = epochs or self.epochs
        return {"batch": self.batch, "lr": self.lr, "epochs": epochs, "floor": epochs}

    def to(self, device: str, dtype: torch.dtype = torch.float32) -> Self:
        """The same with its data elsewhere, or in another precision."""

        def move(x: Tensor) -> Tensor:
            return x.to(device, dtype) if x.is_floating_point() else x.to(device)

        train, validation = (pytree.tree_map(move, split) for split in (self.train, self.validation))
        return replace(self, train=train, validation=validation)

    def fit(self, seed: int = 0, arithmetic: Arithmetic | None = None, epochs: int | None = None) -> FittedModel:
        """Train as the harness does."""
        run = CellRun(self.task, seed, arithmetic or Arithmetic(), options=self.options(epochs))
        return run.train(self.build, self.train, self.validation)


def accuracy(model: FusionModel, problem: Problem) -> float:
    """Of the predictions on validation, in [0, 1]."""
    assert problem.validation.target is not None
    model.eval()
    with torch.no_grad():
        prediction = model(problem.validation.inputs).prediction
    return float((prediction.argmax(1) == problem.validation.target).float().mean())


def vectors(rows: int = 2000) -> Problem:
    """A: three vectors of 35, 74 and 300 numbers, two classes, batches of 32."""
    return _problem(
        "A: three vectors, MLP",
        2,
        [Modality("visual", "vector", (35,)), Modality("audio", "vector", (74,)), Modality("text", "vector", (300,))],
        Late,
        (rows, rows // 5),
        batch=32,
        epochs=5,
    )


def digits(rows: int = 400) -> Problem:
    """B: AV-MNIST-shaped, an image 28x28 and a spectrogram 112x112, ten classes, batches of 40."""
    modalities = [Modality("image", "image", (1, 28, 28)), Modality("audio", "spectrogram", (1, 112, 112))]
    name = "B: image and spectrogram, convolutions"
    return _problem(name, 10, modalities, Late, (rows, rows * 3 // 10), batch=40, lr=5e-3, epochs=3)


def image(rows: int = 400) -> Problem:
    """The image of B alone."""
    modalities = [Modality("image", "image", (1, 28, 28))]
    return _problem("image, convolutions", 10, modalities, Late, (rows, rows * 3 // 10), batch=40, lr=5e-3)


def sequences(rows: int = 320, modalities: int = 2) -> Problem:
    """Sequences of 50 frames with 20 channels, four classes, batches of 32; a temporal convolutional network."""
    names = ["first", "second", "third"][:modalities]
    some = [Modality(name, "sequence", (50, 20)) for name in names]
    return _problem(f"{len(names)} sequences, TCN", 4, some, Late, (rows, rows // 5), batch=32)


def attended(rows: int = 320) -> Problem:
    """The two sequences, with attention over the frames of both."""
    some = [Modality(name, "sequence", (50, 20)) for name in ("first", "second")]
    return _problem("2 sequences, attention", 4, some, Attention, (rows, rows // 5), batch=32)


FAMILIES: dict[str, Callable[[], Problem]] = {
    "vectors": vectors,
    "digits": digits,
    "image": image,
    "sequences": sequences,
    "attended": attended,
}


@cache
def shared(family: str) -> Problem:
    """Made once in each process."""
    return FAMILIES[family]()


def fit_shared(family: str, seed: int, epochs: int) -> float:
    """Train in this process as the harness does; the accuracy on validation."""
    problem = shared(family)
    return accuracy(problem.fit(seed, epochs=epochs).model, problem)


def _problem(
    name: str,
    classes: int,
    modalities: list[Modality],
    model: Callable[[Task], FusionModel],
    sizes: tuple[int, int],
    **options: Any,
) -> Problem:
    task = Task("classification", classes, tuple(modalities))
    train, validation = (draw(task, rows, seed) for seed, rows in enumerate(sizes))
    return Problem(name, task, lambda: model(task), train, validation, **options)


def draw(task: Task, rows: int, seed: int) -> Split:
    """Rows in which every modality shows the class: a centre or a wave of its own, and noise."""
    source = torch.Generator().manual_seed(seed)
    laws = torch.Generator().manual_seed(12345)  # the same for every split
    target = torch.randint(0, task.outputs, (rows,), generator=source)
    values = {}
    for modality in task.modalities:
        law, noise = _law(modality, task.outputs, laws)
        values[modality.name] = law[target] + noise * torch.randn(rows, *modality.shape, generator=source)
    present = torch.ones(rows, len(task.modalities), dtype=torch.bool)
    lengths = {m.name: torch.full((rows,), m.shape[0]) for m in task.modalities if m.timed}
    return Split(Inputs(values, present, lengths), target)


def _law(modality: Modality, classes: int, laws: torch.Generator) -> tuple[Tensor, float]:
    """(K,*shape) what each class looks like, and the deviation of the noise."""
    if len(modality.shape) == 1:  # apart by about 3 deviations, however many numbers there are
        return torch.randn(classes, *modality.shape, generator=laws) * 1.5 / math.sqrt(modality.shape[0]), 1.0
    if len(modality.shape) == 2:
        means = torch.randn(classes, 1, modality.shape[1], generator=laws) * 0.3
        return means.expand(classes, *modality.shape), 1.0
    # waves in five directions, long and short, so that a small convolution tells them apart
    across, down = (torch.arange(size, dtype=torch.float32) for size in modality.shape[-2:])
    number = torch.arange(classes)[:, None, None]
    angle = number % 5 * math.pi / 5
    phase = across[:, None] * angle.cos() + down * angle.sin()
    return (phase * torch.where(number < 5, 0.6, 1.5)).sin()[:, None], 0.1


class Attention(FusionModel):
    """Two layers of attention over the frames of all modalities; the least of its kind.

    Args:
        task: whose modalities are sequences.
        width: of a token.
        layers: pre-norm.
    """

    def __init__(self, task: Task, *, width: int = 64, layers: int = 2) -> None:
        super().__init__()
        self.enter = nn.ModuleList(nn.Linear(m.shape[-1], width) for m in task.modalities)
        frames = sum(m.shape[0] for m in task.modalities)
        self.places = nn.Parameter(torch.randn(frames, width) * 0.02)
        self.layers = nn.ModuleList(Layer(width) for _ in range(layers))
        self.head = Head(task, width)

    def forward(self, inputs: Inputs) -> FusionOutput:
        entered = [enter(x) for enter, x in zip(self.enter, inputs.values.values(), strict=True)]
        tokens = torch.cat(entered, 1) + self.places
        for layer in self.layers:
            tokens = layer(tokens)
        return FusionOutput(self.head(tokens.mean(1)))


class Layer(nn.Module):
    """(B,T,d) -> (B,T,d): self-attention with four heads and an MLP."""

    HEADS = 4

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.project, self.merge = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.back = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        parts = self.project(self.first(x)).unflatten(-1, (3, self.HEADS, -1)).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(parts[0], parts[1], parts[2])
        x = x + self.merge(attended.transpose(1, 2).flatten(2))
        return x + self.back(F.gelu(self.wide(self.second(x))))


def corruptions(problem: Problem, levels: int) -> Iterator[Split]:
    """Variants of the validation split: Gaussian noise of growing deviation on one modality after the other.

    All else is the very tensors of the split.
    """
    base, seeds = problem.validation.inputs, count()
    for name, values in base.values.items():
        for level in range(1, levels + 1):
            noise = torch.randn(values.shape, generator=torch.Generator().manual_seed(next(seeds)))
            corrupted = values + 0.2 * level * noise
            yield Split(Inputs({**base.values, name: corrupted}, base.present, base.lengths), problem.validation.target)
