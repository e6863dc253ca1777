"""Steps: what is timed. A fusion model takes the trainer's own; of an estimator it is ``predict``."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import cycle

import torch
from torch import Tensor

from mmbench.core.arithmetic import Arithmetic
from mmbench.core.training import Training
from mmbench.nn.models import Estimator, FusionModel
from mmbench.nn.records import Split
from mmbench.throughput.flops import Counted, counted
from mmbench.throughput.timing import Clock, DeviceClock, HostClock, Step
from mmbench.train.alone import Alone
from mmbench.train.arithmetic import autocast
from mmbench.train.feed import Feed, Fetched
from mmbench.train.loop import state_of
from mmbench.train.objective import Objective, batch_of
from mmbench.train.streams import batch_order

DISTINCT, HELD = 8, 2048  # batches that steps go round, and rows that these have at most (but for a single one)
COUNTED = 32  # rows of the step whose operations are counted


class Steps(ABC):
    """Steps of one phase, at any batch size.

    Attributes:
        rows: that there are to draw batches from.
        clock: that such steps are timed by.
        compiled: whether they go through ``torch.compile``.
    """

    rows: int
    clock: Clock
    compiled = False

    @abstractmethod
    def at(self, batch: int) -> Step:
        """Steps of so many rows each, from the same state for every batch size. Their inputs are resident."""

    @abstractmethod
    def flops(self) -> Counted:
        """Of a step, over the rows that it has."""


class TrainingSteps(Steps):
    """The trainer's steps: forward, backward, clip and optimiser, in the stage that has the most epochs.

    Args:
        objective: ready for the first step; ``begin`` has been called.
        options: of the trainer.
        train: the split.
    """

    def __init__(self, objective: Objective, options: Training, train: Split) -> None:
        self.objective, self.options, self.train = objective, options, train
        self.rows, self.clock = len(train), clock_of(objective.arithmetic)
        self.compiled = objective.arithmetic.compiled
        self.stage = max(options.stages, key=lambda stage: stage.epochs)
        self.initial = {name: value.detach().clone() for name, value in state_of(objective).items()}

    def at(self, batch: int) -> Step:
        if self.compiled:
            torch.compiler.reset()  # otherwise the second batch size would get kernels for any
        trainer = self._trainer(self.compiled)
        batches = cycle(drawn(self.train, batch, trainer.device))
        epoch = torch.zeros((), device=trainer.device)

        def step() -> Tensor:
            rows, index = next(batches)
            return trainer.step(rows, index, epoch, 1.0)

        return step

    def flops(self) -> Counted:
        trainer = self._trainer(compiled=False)
        rows, index = drawn(self.train, min(COUNTED, self.rows), trainer.device)[0]
        batch = batch_of(rows, index[0], torch.zeros((), device=trainer.device))
        return counted(lambda: trainer.gradients(batch), len(rows), gradients=True)

    def restore(self) -> None:
        """The state before the first step."""
        with torch.no_grad():
            for name, value in state_of(self.objective).items():
                value.copy_(self.initial[name])

    def _trainer(self, compiled: bool) -> Alone:
        self.restore()
        trainer = Alone(self.objective, compiled)
        trainer.start(self.stage, self.options)
        return trainer


class InferenceSteps(Steps):
    """Forward passes in eval mode, without gradients, as a fitted model predicts.

    Args:
        model: on its device.
        arithmetic: of the passes.
        split: to draw batches from.
    """

    def __init__(self, model: FusionModel, arithmetic: Arithmetic, split: Split) -> None:
        self.model, self.arithmetic, self.split = model, arithmetic, split
        self.rows, self.clock = len(split), clock_of(arithmetic)
        self.device = next(model.parameters()).device

    def at(self, batch: int) -> Step:
        self.model.eval()
        batches = cycle(drawn(self.split, batch, self.device))

        def step() -> object:
            rows, _ = next(batches)
            with torch.no_grad(), autocast(self.arithmetic):
                return self.model(rows.inputs)

        return step

    def flops(self) -> Counted:
        rows, _ = drawn(self.split, min(COUNTED, self.rows), self.device)[0]
        self.model.eval()
        return counted(lambda: self.model(rows.inputs), len(rows), gradients=False)


class EstimatorSteps(Steps):
    """Whole predictions of a fitted estimator, with all that it does around its models.

    Args:
        estimator: fitted.
        split: to draw batches from.
    """

    def __init__(self, estimator: Estimator, split: Split) -> None:
        self.estimator = estimator
        self.split = (split if getattr(estimator, "packed", False) else split.unpacked()).withheld()
        self.rows, self.clock = len(split), HostClock()  # what it gives lies on the host

    def at(self, batch: int) -> Step:
        order = _order(len(self.split), batch * _distinct(batch)).to(self.split.inputs.present.device)
        batches = cycle([self.split.take(index) for index in order.view(-1, batch)])
        return lambda: self.estimator.predict(next(batches))

    def flops(self) -> Counted:
        return Counted(reason="its prediction is not the forward pass of one model")


def drawn(split: Split, batch: int, device: torch.device) -> list[Fetched]:
    """Some batches of random rows on a device, in floats, with their index (1,B): the same for every method.

    A batch that is larger than the split has rows more than once.
    """
    count = _distinct(batch)
    return list(Feed(split, device).batches(_order(len(split), batch * count)[None], batch, count))


def clock_of(arithmetic: Arithmetic) -> Clock:
    """That of the device."""
    return DeviceClock() if arithmetic.device == "cuda" else HostClock()


def _distinct(batch: int) -> int:
    return max(1, min(DISTINCT, HELD // batch))


def _order(rows: int, wanted: int) -> Tensor:
    """(wanted,) long: rows in random order, all of them once before any comes again."""

    def epochs() -> Iterator[Tensor]:
        for epoch in range(-(-wanted // rows)):
            yield batch_order(0, 0, epoch, rows)

    return torch.cat(list(epochs()))[:wanted]
