"""The loop: minimise objectives on the train split, select by the criterion on validation.

It is the same for one seed and for several at once: a ``Trainer`` does the steps. Nothing is read
back to the host within an epoch: batches are index selections, losses are summed on the device,
gradients are clipped there.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mmbench.core.errors import MmbenchError, did_you_mean
from mmbench.core.training import Stage, Training
from mmbench.nn.records import Split
from mmbench.train.clock import Clock
from mmbench.train.feed import Feed
from mmbench.train.objective import Objective
from mmbench.train.streams import batch_order

MODEL = "model."  # before the names of a model's own parameters in its objective


class DivergedError(ArithmeticError):
    """The loss or the validation criterion became NaN or infinite."""

    def __init__(self, what: str, epoch: int) -> None:
        super().__init__(f"{what} is not finite after epoch {epoch}")
        self.epoch = epoch


@dataclass
class History:
    """What happened in the training of one seed.

    Attributes:
        epochs: that were trained, over all stages.
        validation: criterion after each of them.
        best: the epoch, from 1, whose state was kept.
        diverged: set as soon as an epoch ended with a loss or criterion that is no number.
        seconds: of wall time that went into fetching batches (``data``), ``steps``, and ``judging`` on
            validation; of seeds that are trained at once, an equal share.
    """

    epochs: int = 0
    validation: list[float] = field(default_factory=list)
    best: int = 0
    diverged: DivergedError | None = None
    seconds: dict[str, float] = field(default_factory=dict, compare=False)  # of a clock: never twice the same


Watch = Callable[[Sequence[History]], None]  # told what has happened so far, a seed; it may raise to end the training


class Best:
    """The state with the lowest criterion so far, kept on the device."""

    def __init__(self) -> None:
        self.value = math.inf
        self.state: dict[str, Tensor] = {}

    def offer(self, value: float, present: dict[str, Tensor]) -> bool:
        """Keep the present state if it is better. Whether it was."""
        if not value < self.value:
            return False
        self.value = value
        if self.state:
            for name, tensor in present.items():
                self.state[name].copy_(tensor)
        else:
            self.state = {name: tensor.detach().clone() for name, tensor in present.items()}
        return True

    def restore(self, objective: Objective) -> None:
        with torch.no_grad():
            own = state_of(objective)
            for name, tensor in self.state.items():
                own[name].copy_(tensor)


class Trainer(ABC):
    """Takes the steps of a stage for some seeds, by position in ``objectives``.

    Attributes:
        objectives: one a seed; they hold the result when a stage has ended.
        active: positions of the seeds that are still in training, in the order of all rows below.
    """

    objectives: list[Objective]
    active: list[int]

    @property
    def device(self) -> torch.device:
        """Of all objectives."""
        return next(self.objectives[0].parameters()).device

    @abstractmethod
    def start(self, stage: Stage, options: Training) -> None:
        """Make all seeds active, from the state that their objectives have."""

    @abstractmethod
    def step(self, rows: Split, index: Tensor, epoch: Tensor, factor: float) -> Tensor:
        """One step of gradient descent of every active seed.

        Args:
            rows: of the train split, one seed's batch after the other's: A*B rows.
            index: (A,B) long, where they stand in the split.
            epoch: () float within the stage.
            factor: on the learning rate.

        Returns:
            (A,) losses, detached.
        """

    @abstractmethod
    def judge(self, validation: Feed) -> Tensor:
        """(A,) float64: the criterion on a whole split, by which states are selected."""

    @abstractmethod
    def state(self, position: int) -> dict[str, Tensor]:
        """The present state of an active seed; valid until the next step."""

    @abstractmethod
    def retire(self, positions: Sequence[int]) -> None:
        """End the training of some active seeds; their objectives have their present state."""


def optimise(
    trainer: Trainer,
    train: Split,
    validation: Split,
    options: Training,
    seeds: Sequence[int],
    watch: Watch | None = None,
) -> list[History]:
    """Train in place, leaving the selected state in each objective.

    Args:
        trainer: of one objective a seed.
        train, validation: with targets; ``validation`` selects and trains nothing.
        options: of the trainer.
        seeds: of the batch orders; other draws come from torch's global stream.
        watch: called between epochs. It changes nothing, but what it raises ends the training.

    Returns:
        What happened, a seed; one that diverged is not trained to its end.
    """
    feeds = Feed(train, trainer.device), Feed(validation, trainer.device)
    histories = [History() for _ in seeds]
    bests = [Best() for _ in seeds]
    clock = Clock()
    for number, stage in enumerate(options.stages):
        trainer.start(stage, options)
        trainer.retire([k for k in trainer.active if histories[k].diverged])
        if trainer.active:
            _run_stage(trainer, feeds, options, number, seeds, histories, bests, watch, clock)
        if options.select == "best":
            for best, objective in zip(bests, trainer.objectives, strict=True):
                best.restore(objective)
    for history, objective in zip(histories, trainer.objectives, strict=True):
        if options.select == "last":
            history.best = history.epochs
        history.seconds = {name: seconds / len(seeds) for name, seconds in clock.seconds.items()}
        objective.eval()
        if history.diverged is None:
            with torch.no_grad():
                objective.finish(train, validation)
    return histories


def _run_stage(
    trainer: Trainer,
    feeds: tuple[Feed, Feed],
    options: Training,
    number: int,
    seeds: Sequence[int],
    histories: list[History],
    bests: list[Best],
    watch: Watch | None,
    clock: Clock,
) -> None:
    (train, validation), stage = feeds, options.stages[number]
    rows = min(options.batch or len(train), len(train))
    steps = len(train) // rows  # the ragged last batch is dropped
    since_best = dict.fromkeys(trainer.active, 0)
    for epoch in range(stage.epochs):
        if watch is not None and epoch:
            watch(histories)
        orders = torch.stack([batch_order(seeds[k], number, epoch, len(train)) for k in trainer.active])
        now = torch.tensor(float(epoch))
        totals = None
        for step, (batch, index) in enumerate(clock.each("data", train.batches(orders, rows, steps))):
            with clock("steps"):
                factor = learning_rate_factor(options, (epoch * steps + step + 1) / (stage.epochs * steps))
                losses = trainer.step(batch, index, now.to(index.device), factor)
                totals = losses if totals is None else totals + losses
        _close_epoch(trainer, validation, options, epoch, totals, histories, bests, since_best, clock)
        if not trainer.active:
            return
    trainer.retire(list(trainer.active))


def _close_epoch(
    trainer: Trainer,
    validation: Feed,
    options: Training,
    epoch: int,
    totals: Tensor | None,
    histories: list[History],
    bests: list[Best],
    since_best: dict[int, int],
    clock: Clock,
) -> None:
    """Judge every active seed, keep the states that are better, and retire who has ended."""
    with clock("steps"):  # a device has done them when their losses can be read
        losses = [0.0] * len(trainer.active) if totals is None else totals.tolist()
    with clock("judging"):
        values = trainer.judge(validation).tolist() if options.select == "best" else [None] * len(losses)
    ended = []
    for k, loss, value in zip(trainer.active, losses, values, strict=True):
        history = histories[k]
        history.epochs += 1
        if value is not None:
            history.validation.append(value)
        if not math.isfinite(loss) or (value is not None and not math.isfinite(value)):
            what = "the training loss" if value is None else "the training loss or the validation criterion"
            history.diverged = DivergedError(what, history.epochs)
            ended.append(k)
        elif value is not None:
            if bests[k].offer(value, trainer.state(k)):
                history.best, since_best[k] = history.epochs, 0
            else:
                since_best[k] += 1
            if since_best[k] >= options.patience and epoch + 1 >= options.floor:
                ended.append(k)
    trainer.retire(ended)


def learning_rate_factor(options: Training, progress: float) -> float:
    """Of the rate at a share of the stage's steps: linear warm-up, then constant or a half cosine."""
    if progress < options.warmup:
        return progress / options.warmup
    if options.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (progress - options.warmup) / (1 - options.warmup)))


def state_of(objective: Objective) -> dict[str, Tensor]:
    """Parameters and buffers by name: all that training changes."""
    return {**dict(objective.named_parameters()), **dict(objective.named_buffers())}


def trained_names(objective: Objective, stage: Stage) -> list[str]:
    """Names of the parameters that a stage trains, in order; the others are frozen by it.

    Raises:
        MmbenchError: for a prefix that no parameter has, or if nothing is left.
    """
    short = {name: name.removeprefix(MODEL) for name, _ in objective.named_parameters()}
    idle = [prefix for prefix in stage.freeze if not any(name.startswith(prefix) for name in short.values())]
    if idle:
        raise MmbenchError(f"freeze={idle[0]!r} fits no parameter; {did_you_mean(idle[0], list(short.values()))}")
    trained = [name for name, own in short.items() if not own.startswith(stage.freeze)]
    if not trained:
        raise MmbenchError("a stage has no parameter to train: it freezes all, or the model has none")
    return trained
