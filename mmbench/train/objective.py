"""The objective: model, criterion and terms as one module, so that state, optimiser and checkpoint
treat them alike."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from mmbench.core.arithmetic import Arithmetic
from mmbench.core.errors import MmbenchError
from mmbench.core.task import BERNOULLI, Task
from mmbench.nn.heads import Criterion
from mmbench.nn.models import FusionModel, Term
from mmbench.nn.records import Batch, FusionOutput, Split
from mmbench.train.arithmetic import autocast


class Objective(nn.Module):
    """What is minimised on a batch.

    Args:
        model: to be trained.
        criterion: of the task.
        terms: with their weights.
        arithmetic: of every forward pass.
    """

    model: FusionModel
    criterion: Criterion

    def __init__(
        self,
        model: FusionModel,
        criterion: Criterion,
        terms: Sequence[tuple[Term, float]] = (),
        arithmetic: Arithmetic | None = None,
    ) -> None:
        super().__init__()
        self.arithmetic = arithmetic or Arithmetic()
        self.model = model
        self.criterion = criterion
        self.terms = nn.ModuleList(term for term, _ in terms)
        self.weights = tuple(weight for _, weight in terms)

    def each(self) -> list[tuple[Term, float]]:
        """The terms with their weights."""
        terms = [term for term in self.terms if isinstance(term, Term)]
        return list(zip(terms, self.weights, strict=True))

    def begin(self, train: Split) -> None:
        """Buffers that depend on the train split, and a look whether every term can have an effect."""
        self.model.begin(train if self.model.packed or _inherits(self.model, "begin") else train.unpacked())
        for term, _ in self.each():
            term.begin(train if _inherits(term, "begin") else train.unpacked())
        self._refuse_idle_terms(train)

    def finish(self, train: Split, validation: Split) -> None:
        """Buffers that are fitted on data after the last step; in eval mode, without gradients."""
        whole = self.model.packed or _inherits(self.model, "finish")
        self.model.finish(*(split if whole else split.unpacked() for split in (train, validation)))

    def forward(self, batch: Batch) -> tuple[Tensor, FusionOutput]:
        """() the loss, with terms as in training, and the model's output."""
        inputs = batch.inputs
        for term, _ in self.each():
            inputs = term.inputs(inputs)
        with autocast(self.arithmetic):
            output: FusionOutput = self.model(inputs)
            for term, _ in self.each():
                soft = term.targets(output, batch)
                batch = batch if soft is None else replace(batch, soft=soft)
            loss = self.model.loss(output, batch, self.criterion)
            for term, weight in self.each():
                loss = loss + weight * term(output, batch)
        return loss, output

    def judge(self, batch: Batch) -> Tensor:
        """() what selection goes by: the criterion on the prediction, else the model's own loss."""
        with autocast(self.arithmetic):
            output = self.model(batch.inputs)
            if output.prediction is None:
                return self.model.loss(output, batch, self.criterion)
            value: Tensor = self.criterion(output.prediction, batch)
        return value

    def _refuse_idle_terms(self, train: Split) -> None:
        """A rule for targets that the model's loss never reads would make a row that claims what it
        does not do."""
        rules = [type(term) for term, _ in self.each() if type(term).targets is not Term.targets]
        if rules and not self._reads_soft_targets(train):
            name, method = rules[0].__name__, type(self.model).__name__
            raise MmbenchError(f"{name} has no effect on {method}, whose loss does not read soft targets: leave it out")

    @torch.enable_grad()
    def _reads_soft_targets(self, train: Split) -> bool:
        """Whether a gradient of the model's loss arrives at soft targets."""
        training = self.training
        self.eval()
        rows = torch.arange(min(len(train), 64), device=train.inputs.present.device)
        batch = batch_of(train.take(rows).unpacked(), rows, torch.zeros((), device=rows.device))
        like = next(self.model.parameters())
        soft = like.new_full((len(rows), self.criterion.outputs), 0.5).requires_grad_()
        loss = self.model.loss(self.model(batch.inputs), replace(batch, soft=soft), self.criterion)
        self.train(training)
        return loss.requires_grad and torch.autograd.grad(loss, soft, allow_unused=True)[0] is not None


def _inherits(module: FusionModel | Term, method: str) -> bool:
    """Whether a method is the base class's own, which does nothing."""
    base = FusionModel if isinstance(module, FusionModel) else Term
    return getattr(type(module), method) is getattr(base, method)


def batch_of(rows: Split, index: Tensor, epoch: Tensor) -> Batch:
    """Rows that were taken from a split, as a batch."""
    return Batch(rows.inputs, rows.target, index, epoch, None, rows.labelled, rows.domain)


def class_balance(task: Task, target: Tensor) -> Tensor:
    """(K,) weights inverse to the frequency in ``target``, 1 on average; of positives for labels.

    Raises:
        MmbenchError: in regression, which has no classes.
    """
    if task.kind == "classification":
        counts = torch.bincount(target, minlength=task.outputs).clamp(min=1)
        return len(target) / (task.outputs * counts)
    if task.kind in BERNOULLI:
        positives = target.sum(0).clamp(min=1)
        return (len(target) - positives).clamp(min=1) / positives
    raise MmbenchError(f"balance=true has no meaning for {task.kind}")
