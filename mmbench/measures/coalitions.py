"""What a method can do with some of its modalities: v(S), the value of a coalition S.

v(S) is the task's main metric on test rows in which the modalities outside S are made absent, turned so
that higher is better: an error (RMSE, EER, NLL) is negated. How they are made absent is the mechanism:

- ``masked``: the method's own, ``present`` false and values zero. Where a row has no modality left, the
  training prior answers, so that v(∅) is the prior's score.
- ``permuted``: values, lengths and times of other rows that have the modality. One random order of the rows
  serves all modalities, so that a complete row lends its absent modalities together.
- ``mean``: the mean of the train split, which is zero in standardised values. Lengths and times stay, and
  tokens have no mean.

What a row lacks already stays absent under all of them.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import combinations
from math import isfinite, isnan
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from mmbench.core.scores import Score
from mmbench.core.task import Task
from mmbench.measures.subject import Subject
from mmbench.nn.records import Inputs

Mechanism = Literal["masked", "permuted", "mean"]
Coalition = frozenset[str]  # names of the modalities that take part
Values = Mapping[Coalition, float]

LEAST_ROWS = 50  # fewer are not worth a score, whatever the budget
INFORMED = 0.05  # of the way from the prior to a perfect prediction


def coalition_values(
    subject: Subject, coalitions: Iterable[Coalition], *, absent: Mechanism, rows: int, draws: int = 1
) -> dict[Coalition, float]:
    """v(S) of some coalitions, each evaluated once for all measures of the subject.

    Args:
        subject: whose test rows and predictions are taken.
        coalitions: of the task's modalities.
        absent: the mechanism.
        rows: of the test split at most; the same choice for every method.
        draws: orders over which ``permuted`` takes the mean.

    Returns:
        v of each, in units of the main metric. Where a metric is not defined for constant predictions (a
        correlation), it is the metric's chance level. NaN where v of all modalities is not defined.
    """
    wanted = list(coalitions)
    everything = frozenset(subject.task.names)
    if absent != "permuted":
        draws = 1
    known = subject.once(f"coalitions/{absent}/{rows}/{draws}", dict[Coalition, float])
    lacking = [coalition for coalition in dict.fromkeys((everything, *wanted)) if coalition not in known]
    if lacking:
        known.update(_evaluate(subject, lacking, absent, rows, draws))
    chance = subject.task.score.chance
    if not isnan(known[everything]) and chance is not None:
        known.update({each: turned(subject.task, chance) for each in lacking if isnan(known[each])})
    return {coalition: known[coalition] for coalition in wanted}


def prior_value(subject: Subject, rows: int) -> float:
    """The score of the training prior on the rows of ``coalition_values``, turned like it."""
    return coalition_values(subject, [frozenset()], absent="masked", rows=rows)[frozenset()]


def coalitions_of(names: Iterable[str], *sizes: int) -> list[Coalition]:
    """All coalitions of these sizes, in the order of the names."""
    named = list(names)
    return [frozenset(some) for size in sizes for some in combinations(named, size)]


def rows_within(subject: Subject, most: int, passes: int, evaluations: int) -> int:
    """Rows of the test split that so many evaluations may use.

    Args:
        subject: whose test split is meant.
        most: rows.
        passes: rows through the model, over all evaluations; exceeded where it leaves less than ``LEAST_ROWS``.
        evaluations: predictions of all the rows.
    """
    return min(most, max(passes // evaluations, LEAST_ROWS), subject.sizes["test"])


def turned(task: Task, score: float) -> float:
    """A value of the main metric so that higher is better: errors are negated."""
    return score if task.score.higher_is_better else -score


def turned_name(task: Task) -> str:
    """The main metric's name, and whether it is negated."""
    return task.metric if task.score.higher_is_better else f"{task.metric}, negated"


def headroom(metric: Score, value: float) -> float:
    """What lies between a value, turned, and a perfect prediction."""
    return (metric.high if metric.higher_is_better else -metric.low) - value


def informed(metric: Score, full: float, without: float) -> bool:
    """Whether a gain over a value without information is large enough to be divided by: at least
    ``INFORMED`` of the headroom. Both values are turned."""
    room = headroom(metric, without)
    return full - without > 0 and (not isfinite(room) or full - without >= INFORMED * room)


def rounded(value: float | None) -> float | None:
    """To five significant digits, for tables and notes, without the dust of a difference; None where it is not
    finite."""
    return None if value is None or not isfinite(value) else float(f"{round(value, 12):.5g}")


def _evaluate(
    subject: Subject, coalitions: list[Coalition], absent: Mechanism, rows: int, draws: int
) -> dict[Coalition, float]:
    base = subject.rows("test", rows)
    inputs = (placed := subject.to_device(base)).inputs
    predict = subject.predictor(placed)
    found: dict[Coalition, list[float]] = {coalition: [] for coalition in coalitions}
    for draw in range(draws):
        emptied = _EMPTIED[absent](inputs, subject.generator("coalitions", draw))
        for coalition, scores in found.items():
            if not scores or len(coalition) < len(inputs.names):  # with all modalities, draws do not differ
                prediction = predict(_mixed(inputs, coalition, emptied))
                scores.append(turned(subject.task, subject.score(prediction, base)))
    return {coalition: float(np.mean(scores)) for coalition, scores in found.items()}


def _mixed(inputs: Inputs, coalition: Coalition, emptied: Inputs) -> Inputs:
    """The modalities of a coalition as they are, the very tensors, and the others from ``emptied``."""

    def chosen(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: (ours if name in coalition else theirs)[name] for name in ours}

    own = torch.tensor([name in coalition for name in inputs.names], device=inputs.present.device)
    return Inputs(
        chosen(inputs.values, emptied.values),
        torch.where(own, inputs.present, emptied.present),
        chosen(inputs.lengths, emptied.lengths),
        chosen(inputs.times, emptied.times),
    )


def _masked(inputs: Inputs, generator: np.random.Generator) -> Inputs:
    zeros = {name: torch.zeros_like(value) for name, value in inputs.values.items()}
    return Inputs(zeros, torch.zeros_like(inputs.present), inputs.lengths, inputs.times)


def _mean(inputs: Inputs, generator: np.random.Generator) -> Inputs:
    zeros = {name: torch.zeros_like(value) for name, value in inputs.values.items()}
    return Inputs(zeros, inputs.present, inputs.lengths, inputs.times)


def _permuted(inputs: Inputs, generator: np.random.Generator) -> Inputs:
    order = torch.from_numpy(generator.permutation(len(inputs))).to(inputs.present.device)
    sources = {}
    for name in inputs.names:
        here = inputs.here(name)
        source = torch.arange(len(inputs), device=order.device)
        source[here] = order[here[order]]
        sources[name] = source

    def moved(columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: column.index_select(0, sources[name]) for name, column in columns.items()}

    return Inputs(moved(inputs.values), inputs.present, moved(inputs.lengths), moved(inputs.times))


_EMPTIED: dict[Mechanism, Callable[[Inputs, np.random.Generator], Inputs]] = {
    "masked": _masked,
    "permuted": _permuted,
    "mean": _mean,
}
