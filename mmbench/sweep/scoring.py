"""What a fitted method predicts, checked, and its scores. Torch is imported here."""

from collections.abc import Callable

from torch import Tensor

from mmbench.core.cards import MeasureCard
from mmbench.core.errors import MmbenchError
from mmbench.core.task import Task
from mmbench.data.splits import Splits
from mmbench.measures.evaluation import Evaluation
from mmbench.nn.functional import prior, probabilities
from mmbench.nn.models import Estimator
from mmbench.nn.records import Split
from mmbench.registry import installed, load

Scorer = Callable[[Tensor, Split], dict[str, float]]


class NotFiniteError(ArithmeticError):
    """A prediction holds NaN or infinities."""


def predict(estimator: Estimator, splits: Splits, split: Split) -> Tensor:
    """(N,K) predictions for a split whose targets the method never sees, in the target's own units.

    They are rounded to float32, as they are kept, so that scores can be computed from them again.
    Rows without any modality never reach the method: the training prior answers for them.
    """
    some = split.inputs.present.any(1)
    rows = some.nonzero()[:, 0]
    seen = split if len(rows) == len(split) else split.take(rows)
    answer = chance_prediction(splits, split)
    if len(rows):
        answer[rows.cpu()] = splits.in_units(
            checked(splits.task, estimator.predict(given(estimator, seen).withheld()), len(rows))
        )
    return answer.float().double()


def given(estimator: Estimator, split: Split) -> Split:
    """A split as an estimator takes it: in floats, unless it says that it takes bytes."""
    return split if getattr(estimator, "packed", False) else split.unpacked()


def chance_prediction(splits: Splits, split: Split) -> Tensor:
    """(N,K) float64, in the target's own units: what the training targets alone predict."""
    _, target = splits.train.supervised()
    logits = prior(splits.task, target.cpu()).double()
    return splits.in_units(probabilities(splits.task, logits)).expand(len(split), -1).clone()


def checked(task: Task, prediction: object, rows: int) -> Tensor:
    """A prediction as (N,K) float64 on the CPU.

    Raises:
        MmbenchError: for a wrong type or shape, or for numbers that are no probabilities.
        NotFiniteError: for NaN and infinities.
    """
    if not isinstance(prediction, Tensor):
        raise MmbenchError(f"predict gave a {type(prediction).__name__}, not a torch.Tensor")
    if tuple(prediction.shape) != (rows, task.outputs):
        raise MmbenchError(
            f"predict gave shape {tuple(prediction.shape)}; {rows} rows of {task.kind} with "
            f"{task.outputs} outputs have shape {(rows, task.outputs)}"
        )
    p = prediction.detach().cpu().double()
    wrong = int((~p.isfinite()).any(1).sum())
    if wrong:
        raise NotFiniteError(f"predictions are NaN or infinite in {wrong} of {rows} rows")
    if task.kind == "regression":
        return p
    if float(p.min()) < -1e-6 or float(p.max()) > 1 + 1e-6:
        raise MmbenchError(f"predict gave numbers from {float(p.min()):.3g} to {float(p.max()):.3g}: not probabilities")
    if task.kind == "classification" and float((p.sum(1) - 1).abs().max()) > 1e-3:
        raise MmbenchError("predict gave class probabilities that do not sum to 1")
    return p.clamp(0, 1)


def scorer(splits: Splits) -> Scorer:
    """All installed measures of predictions, as one function of predictions in the target's own units and
    a split with targets."""
    task = splits.task
    measures = [load(card) for card in measures_of_predictions(task)]

    def score(prediction: Tensor, split: Split) -> dict[str, float]:
        if split.target is None:
            return {}
        target = splits.in_units(split.target.cpu().double()) if task.kind == "regression" else split.target.cpu()
        evaluation = Evaluation(task, prediction.double().numpy(), target.numpy())
        found: dict[str, float] = {}
        for measure in measures:
            found.update(measure(evaluation))
        return found

    return score


def measures_of_predictions(task: Task) -> list[MeasureCard]:
    """Those installed that stand in every record of a task."""
    return [card for card in installed().measures.values() if card.needs == "predictions" and task.kind in card.tasks]


def main_metric(splits: Splits, score: Scorer, prediction: Tensor, split: Split) -> float:
    """The task's metric of what a method predicts, turned so that higher is better."""
    task = splits.task
    value = score(splits.in_units(checked(task, prediction, len(split))), split)[task.metric]
    return value if task.score.higher_is_better else -value
