"""It learns what is plain to see."""

from torch import Tensor

from mmbench.core.task import Task
from mmbench.nn.records import Split
from mmbench.testing.contract.check import require
from mmbench.testing.contract.data import separable, task_of
from mmbench.testing.contract.subject import Subject

ENOUGH = 0.95


def separable_set(subject: Subject) -> None:
    """Of 90 new samples of a set that any one modality separates it gets 95 % right, after at most 12 epochs
    of 240 samples, some of which lack modalities."""
    mix = subject.mixes(("vector sequence", "vector vector", "vector", "image"))[0]
    task = task_of(subject.card, mix)
    train, validation, test = (
        separable(task, rows, seed, subject.card.missing) for rows, seed in ((240, 0), (60, 1), (90, 2))
    )
    fitted = subject.fit(task, train, validation, epochs=12, batch=24)
    right = _right(task, fitted.predict(test.withheld()), test)
    require(
        right >= ENOUGH,
        f"it gets {right:.0%} of a set that any modality separates (modalities {mix!r}, {task.kind}); {ENOUGH:.0%} is "
        "the least: does the loss reach the prediction, and the gradient the encoders?",
    )


def _right(task: Task, p: Tensor, test: Split) -> float:
    """Share of right classes or labels; in regression, of the variance."""
    assert test.target is not None
    if task.kind == "classification":
        return float((p.argmax(1) == test.target).double().mean())
    if task.kind == "regression":
        return 1 - float((p - test.target).square().mean() / test.target.var())
    return float(((p > 0.5) == (test.target > 0.5)).double().mean())
