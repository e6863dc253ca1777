"""All seeds at once: one set of kernels computes a step of every seed.

Parameters and buffers of the seeds are stacked, and the objective is mapped over the stack
(``torch.func``). Each seed has its own initialisation, batch order, dropout, gradient clip and early
stopping; a seed that has ended leaves the stack.
"""

import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.func import functional_call, vmap
from torch.utils import _pytree as pytree

from mmbench.core.training import Stage, Training
from mmbench.nn.records import Batch, FusionOutput, Split
from mmbench.train.alone import Alone, hooked
from mmbench.train.arithmetic import compile_mode
from mmbench.train.blocks import PROBED, rows_at_once
from mmbench.train.feed import Feed
from mmbench.train.loop import Trainer, state_of, trained_names
from mmbench.train.objective import Objective, batch_of
from mmbench.train.weights import Descent, Weights

Mapped = tuple[Tensor, FusionOutput]  # losses (A,), and outputs where a model's hook needs them
TRIED = 32  # rows of the trial
# Of the trial, relative, for losses and for gradients: another batching rounds differently.
TOLERANCES = {"float64": (1e-10, 1e-8), "float32": (1e-4, 1e-2), "tf32": (1e-2, 5e-2), "bfloat16": (3e-2, 2e-1)}


class Together(Trainer):
    """Trains one objective a seed, all of the same structure.

    Args:
        objectives: on their device. ``obstacle`` says whether they can be trained so.
        compiled: whether steps go through ``torch.compile``.
    """

    def __init__(self, objectives: Sequence[Objective], compiled: bool = False) -> None:
        self.objectives = list(objectives)
        self.active = list(range(len(self.objectives)))
        self.template = self.objectives[0]  # its own state is never used, its forward is
        self.rows = 0  # of a block in validation; unknown yet
        self.mapped: Callable[..., Mapped] = vmap(self._one, randomness="different")
        if compiled:
            self.mapped = torch.compile(self.mapped, mode=compile_mode(self.template.arithmetic))

    def start(self, stage: Stage, options: Training) -> None:
        self.active = list(range(len(self.objectives)))
        self.names = trained_names(self.template, stage)
        each = [dict(objective.named_parameters()) for objective in self.objectives]
        self.weights = Weights([{name: own[name] for name in self.names} for own in each])
        self.descent = Descent(self.weights, options, options.lr * stage.lr)
        fixed = [{n: x for n, x in state_of(o).items() if n not in self.names} for o in self.objectives]
        self.fixed = {name: torch.stack([own[name].detach() for own in fixed]) for name in fixed[0]}
        self._lay_out()
        self.template.train()

    def step(self, rows: Split, index: Tensor, epoch: Tensor, factor: float) -> Tensor:
        batch = batch_of(_unflatten(rows, index), index, epoch.expand(len(index)))
        losses, gradients = self.gradients(batch)
        self.descent.step(self.weights.join_rows(gradients), factor)
        return losses

    def gradients(self, batch: Batch) -> tuple[Tensor, list[Tensor]]:
        """(A,) losses, and the gradient of each with respect to its own part of the trained parameters."""
        losses, output = self.mapped(self.trained, self.fixed, batch)
        leaves = list(self.trained.values())
        found = torch.autograd.grad(losses.sum(), leaves, allow_unused=True)
        if self.template.model.gradients is not None:
            named = dict(zip(self.names, found, strict=True))
            given = {name: gradient for name, gradient in named.items() if gradient is not None}
            model = self.template.model
            named.update(vmap(lambda g, o, b: hooked(model, g, o, b))(given, output, batch))
            found = tuple(named[name] for name in self.names)
        each = [torch.zeros_like(x) if g is None else g for x, g in zip(leaves, found, strict=True)]
        return losses.detach(), each

    @torch.no_grad()
    def judge(self, validation: Feed) -> Tensor:
        self.rows = self.rows or rows_at_once(self.template.model, validation.first(PROBED))
        self.template.eval()
        forever = torch.tensor(torch.inf, device=validation.device)
        total = torch.zeros(len(self.active), dtype=torch.float64, device=validation.device)
        judged = vmap(self._judged, in_dims=(0, 0, None), randomness="different")
        for block, index in validation.blocks(max(self.rows // len(self.active), 1)):
            values = judged(self.trained, self.fixed, batch_of(block, index, forever))
            total += values.double() * len(index)
        self.template.train()
        return total / len(validation)

    def state(self, position: int) -> dict[str, Tensor]:
        row = self.active.index(position)
        return {name: stacked[row] for name, stacked in {**self.trained, **self.fixed}.items()}

    @torch.no_grad()
    def retire(self, positions: Sequence[int]) -> None:
        if not positions:
            return
        for position in positions:
            own = state_of(self.objectives[position])
            for name, tensor in self.state(position).items():
                own[name].copy_(tensor)
        rows = [row for row, position in enumerate(self.active) if position not in positions]
        self.active = [self.active[row] for row in rows]
        if rows:
            self.descent.keep(rows)
            self.fixed = {name: stacked[rows] for name, stacked in self.fixed.items()}
            self._lay_out()

    def _lay_out(self) -> None:
        """Leaves of the graph that share their memory with the weights."""
        views = self.weights.views(self.weights.rows)
        self.trained = {name: view.detach().requires_grad_() for name, view in views.items()}

    def _one(self, trained: dict[str, Tensor], fixed: dict[str, Tensor], batch: Batch) -> Mapped:
        loss, output = functional_call(self.template, {**trained, **fixed}, (batch,))
        return loss, output if self.template.model.gradients is not None else FusionOutput()

    def _judged(self, trained: dict[str, Tensor], fixed: dict[str, Tensor], batch: Batch) -> Tensor:
        value: Tensor = functional_call(_Judge(self.template), _prefixed({**trained, **fixed}), (batch,))
        return value


class _Judge(torch.nn.Module):
    """An objective whose forward is its criterion: ``functional_call`` calls nothing else."""

    def __init__(self, objective: Objective) -> None:
        super().__init__()
        self.objective = objective

    def forward(self, batch: Batch) -> Tensor:
        return self.objective.judge(batch)


def _prefixed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"objective.{name}": tensor for name, tensor in state.items()}


def _unflatten(rows: Split, index: Tensor) -> Split:
    """(A*B,…) -> (A,B,…)."""
    found: Split = pytree.tree_map(lambda x: x.unflatten(0, index.shape), rows)
    return found


def obstacle(objectives: Sequence[Objective], train: Split, options: Training) -> str:
    """Why these seeds cannot be trained at once; empty if they can.

    A trial compares losses and gradients of one batch with those of each seed by itself, without
    dropout, and then takes the forward pass of a training step. It changes no state.
    """
    for objective in objectives:
        if isinstance(objective.model.together, str):
            return objective.model.together
    shapes = [{name: (x.shape, x.dtype) for name, x in state_of(objective).items()} for objective in objectives]
    if any(own != shapes[0] for own in shapes):
        return "the seeds' models differ in their parameters"
    device = next(objectives[0].parameters()).device
    index = torch.arange(min(len(train), TRIED), device=train.inputs.present.device)
    rows, index = next(Feed(train, device).blocks(len(index)))
    before = [{name: x.detach().clone() for name, x in state_of(objective).items()} for objective in objectives]
    cuda = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(cuda), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _trial(objectives, rows, index, options)
        except Exception as error:  # whatever mapping a stranger's model raises is the reason
            lines = str(error).strip().splitlines() or [""]
            return f"{type(error).__name__} under vmap: {lines[0]}"
        finally:
            with torch.no_grad():
                for objective, state in zip(objectives, before, strict=True):
                    for name, x in state_of(objective).items():
                        x.copy_(state[name])


def _trial(objectives: Sequence[Objective], rows: Split, index: Tensor, options: Training) -> str:
    epoch = torch.zeros((), device=index.device)
    stage = options.stages[0]
    alone = []
    for objective in objectives:
        trainer = Alone(objective)
        trainer.start(stage, options)
        objective.eval()
        alone.append(trainer.gradients(batch_of(rows, index, epoch)))
        trainer.retire([0])
    together = Together(objectives)
    together.start(stage, options)
    together.template.eval()
    count = len(objectives)
    every = pytree.tree_map(lambda x: x.expand(count, *x.shape), batch_of(rows, index, epoch))
    losses, gradients = together.gradients(every)
    of_loss, of_gradient = TOLERANCES[together.template.arithmetic.dtype]
    for k, (loss, own) in enumerate(alone):
        theirs = [x[k] for x in gradients]
        if not torch.allclose(losses[k], loss, rtol=of_loss, atol=of_loss):
            return f"the loss of seed number {k + 1} is another when all seeds are computed at once"
        apart = torch.stack([(a - b).norm() for a, b in zip(own, theirs, strict=True)]).norm()
        whole = torch.stack([a.norm() for a in own]).norm()
        if not apart <= of_gradient * (whole + of_loss):
            return f"the gradient of seed number {k + 1} is another when all seeds are computed at once"
    together.template.train()
    together.gradients(every)
    return ""
