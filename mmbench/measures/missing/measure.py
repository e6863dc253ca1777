"""Scores of a fitted method when modalities are missing."""

from collections.abc import Mapping
from math import isfinite
from typing import Annotated

from mmbench.core.parameters import Range
from mmbench.core.scores import Score
from mmbench.measures.coalitions import (
    Values,
    coalition_values,
    coalitions_of,
    informed,
    rounded,
    rows_within,
)
from mmbench.measures.missing.subsets import chosen, mean_of_proper, means_by_size, mixture
from mmbench.measures.subject import Findings, Plain, Subject, Table

RATES = (0.1, 0.2, 0.3, 0.4, 0.5)  # at which modalities are missing at random


def missing(
    subject: Subject,
    *,
    most: Annotated[int, Range(50, 1_000_000)] = 1000,
    passes: Annotated[int, Range(1000, 100_000_000)] = 20_000,
    subsets: Annotated[int, Range(30, 180)] = 62,
) -> Findings:
    """How well a method does with some of its modalities, absent ones masked by its own mechanism.

    All values are the main metric, in its own units and direction; the worst is the lowest accuracy, or the
    highest error.

    Args:
        subject: that accepts samples with absent modalities.
        most: test rows.
        passes: rows through the model at most; with many subsets, fewer test rows are used.
        subsets: that are evaluated of more than 6 modalities; of fewer, all are.

    Returns:
        The worst and the mean over non-empty proper subsets; the mean share retained of the gain over the
        prior; the mean over rates of 10 to 50 % at which modalities are missing at random; and the tables
        ``subsets`` and ``mcar``.
    """
    names, metric = subject.task.names, subject.task.score
    if not subject.method.missing:
        return Findings(reason=f"{subject.method.name} needs every modality of every sample")
    if len(names) < 2:
        return Findings(reason="there is one modality, and without it nothing is left")
    proper = chosen(names, subsets, subject.generator("missing", "subsets"))
    none, everything = frozenset[str](), frozenset(names)
    evaluated = [none, *proper, everything]
    rows = rows_within(subject, most, passes, len(evaluated))
    values = coalition_values(subject, evaluated, absent="masked", rows=rows)
    notes: dict[str, Plain] = {
        "rows": rows,
        "subsets": len(proper),
        "of": 2 ** len(names) - 2,
        "full": rounded(_own(metric, values[everything])),
        "prior": rounded(_own(metric, values[none])),
    }
    if not all(map(isfinite, values.values())):
        return Findings(reason=f"{metric.title} is not defined on these {rows} rows", notes=notes)
    return _findings(values, names, metric, notes)


def _findings(values: Values, names: tuple[str, ...], metric: Score, notes: Mapping[str, Plain]) -> Findings:
    full, prior = values[frozenset(names)], values[frozenset()]
    by_size = means_by_size(values, len(names))
    curve = {rate: mixture(by_size, rate) for rate in (0.0, *RATES)}
    mean = mean_of_proper(by_size)
    scores = {
        "missing_worst": min(value for subset, value in values.items() if 0 < len(subset) < len(names)),
        "missing_worst_one": min(values[each] for each in coalitions_of(names, len(names) - 1)),
        "missing_mean": mean,
        "missing_mcar": sum(curve[rate] for rate in RATES) / len(RATES),
    }
    scores = {name: _own(metric, value) for name, value in scores.items()}
    gain = full - prior if informed(metric, full, prior) else None
    if gain is not None:
        scores["missing_retained"] = (mean - prior) / gain
    tables: dict[str, Table] = {
        "subsets": _table(values, names, metric, gain),
        "mcar": {"rate": list(curve), "value": [rounded(_own(metric, value)) for value in curve.values()]},
    }
    return Findings(scores, tables, notes)


def _own(metric: Score, turned: float) -> float:
    """A value that is turned so that higher is better, in the metric's own direction again."""
    return turned if metric.higher_is_better else -turned


def _table(values: Values, names: tuple[str, ...], metric: Score, gain: float | None) -> Table:
    """Subsets, from few to all modalities, with v(S) and what they retain of the gain over the prior."""
    prior = values[frozenset()]
    some = {subset: value for subset, value in values.items() if subset}
    return {
        "modalities": ["+".join(name for name in names if name in subset) for subset in some],
        "value": [rounded(_own(metric, value)) for value in some.values()],
        "retained": [rounded((value - prior) / gain) if gain else None for value in some.values()],
    }
