"""Training options: what a fusion model may ask of the trainer, as data."""

from dataclasses import dataclass, fields, replace
from math import ceil
from typing import Literal, get_args, get_type_hints

from mmbench.core.errors import MmbenchError
from mmbench.core.parameters import Parameter, Range

Schedule = Literal["constant", "cosine"]
Selection = Literal["best", "last"]
SCHEDULES: tuple[Schedule, ...] = get_args(Schedule)
SELECTIONS: tuple[Selection, ...] = get_args(Selection)


@dataclass(frozen=True)
class Stage:
    """A part of training with parts of the model frozen or a learning rate of its own.

    Args:
        epochs: at most.
        lr: factor on ``Training.lr``.
        freeze: prefixes of parameter names that stay as they are.
    """

    epochs: int = 100
    lr: float = 1.0
    freeze: tuple[str, ...] = ()


@dataclass(frozen=True)
class Training:
    """Options of the trainer. The defaults are the suite's, equal for every method.

    Args:
        lr, weight_decay, betas: of AdamW.
        batch: rows a step; None is the whole split.
        warmup: share of a stage's steps over which the rate rises linearly from 0.
        schedule: of the learning rate after the warm-up.
        floor: epochs of each stage before early stopping may end it.
        patience: epochs without a better validation criterion until it ends.
        clip: largest norm of the whole gradient; None is none.
        balance: weight classes inversely to their frequency (it corrupts posteriors; off).
        select: keep the ``best`` state on validation, or the ``last``.
        stages: one after another; the best state is carried over.
    """

    lr: float = 1e-3
    weight_decay: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.999)
    batch: int | None = 256
    warmup: float = 0.0
    schedule: Schedule = "constant"
    floor: int = 20
    patience: int = 10
    clip: float | None = 1.0
    balance: bool = False
    select: Selection = "best"
    stages: tuple[Stage, ...] = (Stage(),)

    def __post_init__(self) -> None:
        if not self.stages or min(stage.epochs for stage in self.stages) < 1:
            raise MmbenchError("training needs at least one stage of at least one epoch")
        if not (self.lr > 0 and self.weight_decay >= 0 and 0 <= self.warmup < 1):
            raise MmbenchError("training needs lr > 0, weight_decay >= 0 and 0 <= warmup < 1")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise MmbenchError("training needs betas of at least 0 and below 1")
        if self.batch is not None and self.batch < 1:
            raise MmbenchError("training needs batch >= 1, or none for the whole split")
        if self.clip is not None and not self.clip > 0:
            raise MmbenchError("training needs clip > 0, or none")
        if self.floor < 0 or self.patience < 0:
            raise MmbenchError("training needs floor and patience of at least 0 epochs")
        for name, allowed in (("schedule", SCHEDULES), ("select", SELECTIONS)):
            if getattr(self, name) not in allowed:
                raise MmbenchError(f"training needs {name} to be {' or '.join(allowed)}, not {getattr(self, name)!r}")

    def with_epochs(self, epochs: int) -> "Training":
        """The same stages, sharing ``epochs`` in the proportion that they had."""
        total = sum(stage.epochs for stage in self.stages)
        stages = tuple(replace(stage, epochs=ceil(stage.epochs * epochs / total)) for stage in self.stages)
        return replace(self, stages=stages)

    def override(self, **options: object) -> "Training":
        """The same with some options replaced; ``epochs`` stands for the stages' total."""
        epochs = options.pop("epochs", None)
        replaced = replace(self, **options)  # type: ignore[arg-type]
        return replaced.with_epochs(epochs) if isinstance(epochs, int) else replaced


def training_parameters() -> dict[str, Parameter]:
    """What a user may set of the training of any method: its options, and ``epochs`` in all."""
    hints = get_type_hints(Training)
    options = {field.name: Parameter(field.name, hints[field.name], field.default) for field in fields(Training)}
    del options["stages"]
    return {**options, "epochs": Parameter("epochs", int, None, Range(1, 1_000_000))}
