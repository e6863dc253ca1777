"""The loop: minimise an objective on the train split, select by the criterion on validation.

Nothing is read back to the host within an epoch: batches are index selections of resident tensors,
losses are summed on the device, gradients are clipped there.
"""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from mmbench.core.errors import MmbenchError, did_you_mean
from mmbench.core.training import Stage, Training
from mmbench.nn.records import Split
from mmbench.train.objective import Objective, batch_of
from mmbench.train.streams import batch_order

ROWS_AT_ONCE = 1024  # rows of an evaluation step


class DivergedError(ArithmeticError):
    """The loss or the validation criterion became NaN or infinite."""

    def __init__(self, what: str, epoch: int) -> None:
        super().__init__(f"{what} is not finite after epoch {epoch}")
        self.epoch = epoch


@dataclass
class History:
    """What happened in training.

    Attributes:
        epochs: that were trained, over all stages.
        validation: criterion after each of them.
        best: the epoch, from 1, whose state was kept.
    """

    epochs: int = 0
    validation: list[float] = field(default_factory=list)
    best: int = 0


class Best:
    """The state with the lowest criterion so far, kept on the device."""

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self.value = math.inf
        self.state: dict[str, Tensor] = {}

    def offer(self, value: float) -> bool:
        """Keep the present state if it is better. Whether it was."""
        if not value < self.value:
            return False
        self.value = value
        present = self.objective.state_dict()
        if self.state:
            for name, tensor in present.items():
                self.state[name].copy_(tensor)
        else:
            self.state = {name: tensor.clone() for name, tensor in present.items()}
        return True

    def restore(self) -> None:
        if self.state:
            self.objective.load_state_dict(self.state)


def optimise(objective: Objective, train: Split, validation: Split, options: Training, seed: int) -> History:
    """Train in place, leaving the selected state in the objective.

    Args:
        objective: on the splits' device.
        train, validation: with targets; ``validation`` selects and trains nothing.
        options: of the trainer.
        seed: of the batch order; other draws come from torch's global stream.

    Raises:
        DivergedError: as soon as an epoch ends with a loss or criterion that is no number.
    """
    history, best = History(), Best(objective)
    for number, stage in enumerate(options.stages):
        _run_stage(objective, train, validation, options, stage, number, seed, history, best)
        if options.select == "best":
            best.restore()
    if options.select == "last":
        history.best = history.epochs
    objective.eval()
    with torch.no_grad():
        objective.model.finish(train, validation)
    return history


def _run_stage(
    objective: Objective,
    train: Split,
    validation: Split,
    options: Training,
    stage: Stage,
    number: int,
    seed: int,
    history: History,
    best: Best,
) -> None:
    trained = _freeze(objective, stage)
    rows = min(options.batch or len(train), len(train))
    steps = len(train) // rows  # the ragged last batch is dropped
    rate = options.lr * stage.lr
    optimiser = torch.optim.AdamW(trained, lr=rate, betas=options.betas, weight_decay=options.weight_decay, fused=True)
    since_best = 0
    for epoch in range(stage.epochs):
        objective.train()
        order = batch_order(seed, number, epoch, len(train)).to(train.inputs.present.device)
        clock = torch.tensor(float(epoch), device=order.device)
        total = torch.zeros((), device=order.device)
        for step in range(steps):
            progress = (epoch * steps + step + 1) / (stage.epochs * steps)
            optimiser.param_groups[0]["lr"] = rate * learning_rate_factor(options, progress)
            index = order[step * rows : (step + 1) * rows]
            total += _step(objective, optimiser, trained, train.take(index), index, clock, options.clip)
        history.epochs += 1
        if options.select == "last":
            if not math.isfinite(total.item()):
                raise DivergedError("the training loss", history.epochs)
            continue
        value = judge(objective, validation)
        history.validation.append(value)
        if not math.isfinite(value) or not math.isfinite(total.item()):
            raise DivergedError("the training loss or the validation criterion", history.epochs)
        if best.offer(value):
            history.best, since_best = history.epochs, 0
        else:
            since_best += 1
        if since_best >= options.patience and epoch + 1 >= options.floor:
            break
    for parameter in objective.parameters():
        parameter.requires_grad_(True)


def _step(
    objective: Objective,
    optimiser: torch.optim.Optimizer,
    trained: list[torch.nn.Parameter],
    rows: Split,
    index: Tensor,
    clock: Tensor,
    clip: float | None,
) -> Tensor:
    """One step of gradient descent; () the loss, detached."""
    batch = batch_of(rows, index, clock)
    optimiser.zero_grad(set_to_none=True)
    loss: Tensor
    loss, output = objective(batch)
    loss.backward()  # type: ignore[no-untyped-call]
    if objective.model.gradients is not None:
        named = dict(objective.model.named_parameters())
        given = {name: p.grad for name, p in named.items() if p.grad is not None}
        for name, gradient in objective.model.gradients(given, output, batch).items():
            named[name].grad = gradient
    if clip is not None:
        clip_grad_norm_(trained, clip, foreach=True)
    optimiser.step()
    return loss.detach()


def learning_rate_factor(options: Training, progress: float) -> float:
    """Of the rate at a share of the stage's steps: linear warm-up, then constant or a half cosine."""
    if progress < options.warmup:
        return progress / options.warmup
    if options.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (progress - options.warmup) / (1 - options.warmup)))


@torch.inference_mode()
def judge(objective: Objective, split: Split) -> float:
    """The criterion on a whole split, by which states are selected."""
    objective.eval()
    device = split.inputs.present.device
    forever = torch.tensor(math.inf, device=device)
    total = torch.zeros((), dtype=torch.float64, device=device)
    for start in range(0, len(split), ROWS_AT_ONCE):
        index = torch.arange(start, min(start + ROWS_AT_ONCE, len(split)), device=device)
        total += objective.judge(batch_of(split.take(index), index, forever)).double() * len(index)
    return float(total / len(split))


def _freeze(objective: Objective, stage: Stage) -> list[torch.nn.Parameter]:
    """Turn gradients off for the stage's prefixes; the parameters that are left to train.

    Raises:
        MmbenchError: for a prefix that no parameter has, or if nothing is left.
    """
    names = [name.removeprefix("model.") for name, _ in objective.named_parameters()]
    idle = [prefix for prefix in stage.freeze if not any(name.startswith(prefix) for name in names)]
    if idle:
        raise MmbenchError(f"freeze={idle[0]!r} fits no parameter; {did_you_mean(idle[0], names)}")
    for name, parameter in objective.named_parameters():
        parameter.requires_grad_(not name.removeprefix("model.").startswith(stage.freeze))
        parameter.grad = None  # of a stage that trained what this one freezes
    trained = [parameter for parameter in objective.parameters() if parameter.requires_grad]
    if not trained:
        raise MmbenchError("a stage has no parameter to train: it freezes all, or the model has none")
    return trained
