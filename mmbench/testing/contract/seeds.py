"""Random draws: seeded, none in evaluation, and the same for seeds together and apart."""

import torch
from torch import Tensor, nn

from mmbench.core.arithmetic import Arithmetic
from mmbench.core.task import Task
from mmbench.nn.models import FusionModel
from mmbench.testing.contract.check import ContractError, require
from mmbench.testing.contract.data import FEW, draw, separable, task_of
from mmbench.testing.contract.subject import FIT, Subject
from mmbench.train.run import CellRun, ModelEstimator, train_together


@torch.no_grad()
def evaluation(subject: Subject) -> None:
    """The same samples get the same answer again, whatever was asked in between: no draw, no count, no
    memory in evaluation."""
    for mix in subject.mixes(FEW[1:]):
        case = subject.case(mix)
        first = case.output
        state = {name: x.clone() for name, x in case.model.state_dict().items()} if subject.is_model else {}
        case.answer(draw(subject.card, case.task, 7, 3).inputs)
        before = torch.get_rng_state()
        field = case.unlike(first, case.answer(case.split.inputs))
        require(
            not field,
            f"output.{field} is another when the same samples are asked for again {case.where}: a draw, or a state "
            "that evaluation changes; guard what belongs to training with self.training",
        )
        require(torch.equal(before, torch.get_rng_state()), f"evaluation draws random numbers {case.where}")
        changed = [name for name, x in state.items() if not _same(x, case.model.state_dict()[name])]
        require(not changed, f"evaluation changes {', '.join(changed)} {case.where}; guard it with self.training")


def seeded(subject: Subject) -> None:
    """Trained twice with one seed it predicts the same to the last bit, and with another seed something
    else, unless its card says that it is deterministic."""
    task = task_of(subject.card, subject.mixes(("vector sequence", "vector vector", "vector", "image"))[0])
    train, validation = (separable(task, rows, seed, subject.card.missing) for rows, seed in ((48, 0), (24, 1)))
    first, again, other = (
        subject.fit(task, train, validation, seed).predict(validation.withheld()) for seed in (0, 0, 1)
    )
    require(
        torch.equal(first, again),
        "trained twice with one seed, it predicts something else: every draw has to come from torch's global stream, "
        "which the harness seeds, or from run.seed",
    )
    if subject.card.deterministic:
        require(torch.equal(first, other), "its card says deterministic=True, but another seed gives something else")
    else:
        require(
            not torch.equal(first, other),
            "another seed gives the very same: it seeds its draws itself, or draws nothing; in the latter case its "
            "card should say deterministic=True",
        )


def together(subject: Subject) -> None:
    """Two seeds trained at once (``torch.func.vmap``) become what they become one after the other, or the
    class says ``together = "why not"``. Dropout is left out, whose draws are others at once."""
    for mix in subject.mixes(FEW):
        trial = Trial(subject, task_of(subject.card, mix))
        if isinstance(subject.fresh(trial.task).together, str):
            return
        at_once = trial.at_once([0, 1])
        alone = [trial.alone(seed) for seed in (0, 1)]
        if not torch.equal(alone[0], trial.alone(0, redrawn=True)):
            continue  # noise is part of its training
        for x, y in zip(at_once, alone, strict=True):
            require(
                torch.allclose(x, y, 1e-6, 1e-6),
                f"two seeds trained at once predict something else than one after the other, with modalities {mix!r}: "
                'is there a state outside of buffers? If it cannot be mended, say together = "why not" on the class',
            )


class Trial:
    """A few steps of training in float64, of seeds at once or alone."""

    def __init__(self, subject: Subject, task: Task) -> None:
        self.subject, self.task = subject, task
        self.train, self.validation = draw(subject.card, task, 32, 1), draw(subject.card, task, 16, 2)

    def at_once(self, seeds: list[int]) -> list[Tensor]:
        """Predictions on validation, a seed."""
        estimators = [ModelEstimator(self._build) for _ in seeds]
        outcomes = train_together([self._run(seed) for seed in seeds], estimators, self.train, self.validation)
        if isinstance(outcomes, str):
            raise ContractError(
                f"seeds cannot be trained at once with modalities {' '.join(self.task.names)}: {outcomes}. Use masks "
                'instead of selection and keep state in buffers, or say together = "why not" on the class'
            )
        return [estimator.predict(self.validation) for estimator in estimators]

    def alone(self, seed: int, redrawn: bool = False) -> Tensor:
        """Predictions on validation; ``redrawn`` with other draws after the model is built."""

        def build() -> FusionModel:
            model = self._build()
            if redrawn:
                torch.manual_seed(99)
            return model

        return self._run(seed).train(build, self.train, self.validation).predict(self.validation)

    def _run(self, seed: int) -> CellRun:
        return CellRun(self.task, seed, Arithmetic(dtype="float64"), options={**FIT, "epochs": 1})

    def _build(self) -> FusionModel:
        """Without dropout."""
        model = self.subject.fresh(self.task)
        for module in model.modules():
            if isinstance(module, nn.Dropout | nn.Dropout1d | nn.Dropout2d | nn.Dropout3d):
                module.p = 0.0
            elif isinstance(getattr(module, "dropout", None), float):  # as nn.MultiheadAttention has it
                module.dropout = 0.0  # type: ignore[assignment]
        return model


def _same(x: Tensor, y: Tensor) -> bool:
    return x.shape == y.shape and torch.equal(x, y)
