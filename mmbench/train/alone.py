"""One seed by itself: an ordinary module and ordinary gradients."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from mmbench.core.training import Stage, Training
from mmbench.nn.models import FusionModel
from mmbench.nn.records import Batch, FusionOutput, Split
from mmbench.train.arithmetic import compile_mode
from mmbench.train.blocks import PROBED, rows_at_once
from mmbench.train.feed import Feed
from mmbench.train.loop import MODEL, Trainer, state_of, trained_names
from mmbench.train.objective import Objective, batch_of
from mmbench.train.weights import Descent, Weights


class Alone(Trainer):
    """Trains one objective.

    Args:
        objective: on its device.
        compiled: whether steps go through ``torch.compile``.
    """

    def __init__(self, objective: Objective, compiled: bool = False) -> None:
        self.objectives, self.active = [objective], [0]
        self.objective = objective
        self.rows = 0  # of a block in validation; unknown yet
        self.forward: Callable[[Batch], tuple[Tensor, FusionOutput]] = objective
        if compiled:
            self.forward = torch.compile(objective, mode=compile_mode(objective.arithmetic))

    def start(self, stage: Stage, options: Training) -> None:
        self.active = [0]
        parameters = dict(self.objective.named_parameters())
        self.names = trained_names(self.objective, stage)
        for name, parameter in parameters.items():
            parameter.requires_grad_(name in self.names)
        self.trained = [parameters[name] for name in self.names]
        weights = Weights([{name: parameters[name] for name in self.names}])
        for parameter, view in zip(self.trained, weights.views(weights.rows).values(), strict=True):
            parameter.data = view[0]  # the module's own parameters now lie in the row
        self.weights, self.descent = weights, Descent(weights, options, options.lr * stage.lr)
        self.objective.train()

    def step(self, rows: Split, index: Tensor, epoch: Tensor, factor: float) -> Tensor:
        loss, gradients = self.gradients(batch_of(rows, index[0], epoch))
        self.descent.step(self.weights.join(gradients), factor)
        return loss[None]

    def gradients(self, batch: Batch) -> tuple[Tensor, list[Tensor]]:
        """() the loss, and its gradient with respect to each trained parameter."""
        loss, output = self.forward(batch)
        found = torch.autograd.grad(loss, self.trained, allow_unused=True)
        if self.objective.model.gradients is not None:
            named = dict(zip(self.names, found, strict=True))
            given = {name: gradient for name, gradient in named.items() if gradient is not None}
            named.update(hooked(self.objective.model, given, output, batch))
            found = tuple(named[name] for name in self.names)
        each = [torch.zeros_like(p) if g is None else g for p, g in zip(self.trained, found, strict=True)]
        return loss.detach(), each

    def judge(self, validation: Feed) -> Tensor:
        self.rows = self.rows or rows_at_once(self.objective.model, validation.first(PROBED))
        value = judge(self.objective, validation, self.rows)
        self.objective.train()
        return value[None]

    def state(self, position: int) -> dict[str, Tensor]:
        return state_of(self.objective)

    def retire(self, positions: Sequence[int]) -> None:
        if positions:
            self.active = []
            for parameter in self.objective.parameters():
                parameter.requires_grad_(True)


def hooked(model: FusionModel, given: Mapping[str, Tensor], output: FusionOutput, batch: Batch) -> dict[str, Tensor]:
    """What the model makes of the gradients of its own parameters, by their name in the objective."""
    assert model.gradients is not None
    own = {name.removeprefix(MODEL): gradient for name, gradient in given.items() if name.startswith(MODEL)}
    return {MODEL + name: gradient for name, gradient in model.gradients(own, output, batch).items()}


@torch.inference_mode()
def judge(objective: Objective, split: Feed, rows: int) -> Tensor:
    """() float64: the criterion on a whole split, in eval mode, ``rows`` at a time."""
    objective.eval()
    forever = torch.tensor(torch.inf, device=split.device)
    total = torch.zeros((), dtype=torch.float64, device=split.device)
    for block, index in split.blocks(rows):
        total += objective.judge(batch_of(block, index, forever)).double() * len(index)
    return total / len(split)
