"""What each modality contributes to the score of a fitted method."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Annotated

import numpy as np

from mmbench.core.parameters import Range
from mmbench.measures.coalitions import (
    Coalition,
    Mechanism,
    Values,
    coalition_values,
    coalitions_of,
    informed,
    rounded,
    rows_within,
    turned_name,
)
from mmbench.measures.contribution.perceptual import Perceptual, perceptual_scores, relative
from mmbench.measures.contribution.shapley import (
    EXACT,
    Order,
    draw_orders,
    interactions,
    prefixes,
    sampled_shapley,
    shapley,
)
from mmbench.measures.subject import Findings, Plain, Subject, Table


def contribution(
    subject: Subject,
    *,
    absent: Mechanism = "masked",
    most: Annotated[int, Range(50, 1_000_000)] = 1000,
    passes: Annotated[int, Range(1000, 100_000_000)] = 20_000,
    draws: Annotated[int, Range(1, 1000)] = 5,
    permutations: Annotated[int, Range(1, 1000)] = 20,
    orders: Annotated[int, Range(4, 1000)] = 32,
) -> Findings:
    """Shapley values, leave-one-out, interaction and perceptual score of each modality.

    v(S) is the main metric with the modalities of S alone, turned so that higher is better (errors are
    negated).

    Args:
        subject: any.
        absent: how the modalities outside S are made absent; ``permuted`` takes the place of ``masked`` for
            methods that need every modality. The perceptual score always permutes.
        most: test rows.
        passes: rows through the model at most, once for the coalitions and once for the perceptual score;
            with many of them, fewer test rows are used.
        draws: permutations of each coalition, where ``absent`` is ``permuted``.
        permutations: of each modality, for the perceptual score.
        orders: of the modalities, from which Shapley values of more than 8 are estimated.

    Returns:
        Balance (M times the least share in Σφ), mean interaction of two modalities, gain v(M) − v(∅); and the
        tables ``shapley`` and ``interaction``.
    """
    task = subject.task
    tokens = [modality.name for modality in task.modalities if modality.kind == "tokens"]
    if absent == "mean" and tokens:
        return Findings(reason=f"tokens ({', '.join(tokens)}) have no mean; choose absent=masked or absent=permuted")
    used: Mechanism = "permuted" if absent == "masked" and not subject.method.missing else absent
    game = _play(subject, used, draws, orders, (most, passes))
    notes: dict[str, Plain] = {"absent": used, "metric": turned_name(task), "rows": game.rows}
    notes |= {"full": rounded(game.full), "empty": rounded(game.empty)}
    if used != absent:
        notes["why"] = f"{subject.method.name} needs every modality of every sample"
    if not all(map(isfinite, game.values.values())):
        return Findings(reason=f"{task.score.title} is not defined on these {game.rows} rows", notes=notes)
    rows = rows_within(subject, most, passes, len(task.names) * permutations + 1)
    perceptual = perceptual_scores(subject, task.names, rows, permutations)
    notes |= {"draws": draws} if used == "permuted" else {}
    notes |= {"orders": game.orders} if game.orders else {}
    notes |= {"perceptual_rows": rows, "permutations": permutations}
    shared = informed(task.score, game.full, game.empty)
    return Findings(_scores(game, shared), _tables(game, perceptual), notes)


@dataclass(frozen=True)
class _Game:
    """The values of coalitions and what follows from them.

    Attributes:
        values: of coalitions.
        rows: of the test split, that they are from.
        orders: from which the Shapley values are estimated; 0 where they are computed.
        shapley: {m: φ_m}, in the task's order.
        errors: {m: standard error of φ_m}, where it is estimated.
    """

    values: Values
    rows: int
    orders: int
    shapley: Mapping[str, float]
    errors: Mapping[str, float]

    @property
    def full(self) -> float:
        return self.values[frozenset(self.shapley)]

    @property
    def empty(self) -> float:
        return self.values[frozenset()]


def _play(subject: Subject, absent: Mechanism, draws: int, orders: int, limits: tuple[int, int]) -> _Game:
    names = subject.task.names
    drawn = draw_orders(names, orders, subject.generator("contribution", "orders")) if len(names) > EXACT else []
    coalitions = _coalitions(names, drawn)
    rows = rows_within(subject, *limits, len(coalitions) * (draws if absent == "permuted" else 1))
    values = coalition_values(subject, coalitions, absent=absent, rows=rows, draws=draws)
    found, errors = sampled_shapley(values, drawn) if drawn else (shapley(values, names), {})
    return _Game(values, rows, len(drawn), {name: found[name] for name in names}, errors)


def _coalitions(names: tuple[str, ...], orders: list[Order]) -> list[Coalition]:
    """What has to be evaluated: all coalitions, or with sampled orders those that they need, and none, single
    modalities, pairs, and all but one."""
    count = len(names)
    if not orders:
        return coalitions_of(names, *range(count + 1))
    needed = [coalition for order in orders for coalition in prefixes(order)]
    return list(dict.fromkeys([*needed, *coalitions_of(names, 0, 1, 2, count - 1, count)]))


def _scores(game: _Game, shared: bool) -> dict[str, float]:
    """``shared``: whether the gain is large enough to be shared out among the modalities."""
    names = list(game.shapley)
    gain = game.full - game.empty
    scores = {"contribution_gain": gain}
    if len(names) > 1:
        scores["contribution_interaction"] = float(np.mean(list(interactions(game.values, names).values())))
    if len(names) > 1 and shared:
        scores["contribution_balance"] = len(names) * min(game.shapley.values()) / gain
    return scores


def _tables(game: _Game, perceptual: Mapping[str, Perceptual]) -> dict[str, Table]:
    left_out = {name: game.full - game.values[frozenset(perceptual) - {name}] for name in perceptual}
    tables: dict[str, Table] = {
        "shapley": {
            "modality": list(perceptual),
            "value": [rounded(game.shapley[name]) for name in perceptual],
            "error": [rounded(game.errors.get(name)) for name in perceptual],
            "leave_one_out": [rounded(left_out[name]) for name in perceptual],
            "utilisation": [rounded(relative(left_out[name], abs(game.full))) for name in perceptual],
            "perceptual_raw": [rounded(score.raw) for score in perceptual.values()],
            "perceptual_accuracy": [rounded(score.accuracy) for score in perceptual.values()],
            "perceptual_majority": [rounded(score.majority) for score in perceptual.values()],
        }
    }
    if len(perceptual) > 1:
        pairs = interactions(game.values, list(perceptual))
        tables["interaction"] = {
            "first": [first for first, _ in pairs],
            "second": [second for _, second in pairs],
            "value": [rounded(value) for value in pairs.values()],
        }
    return tables
