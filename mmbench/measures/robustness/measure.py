"""Robustness: the main metric along levels of corruptions of each modality, and of all at once."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import isfinite, nan
from typing import Annotated

import numpy as np
import torch

from mmbench.core.errors import MmbenchError
from mmbench.core.parameters import Range
from mmbench.core.task import Task
from mmbench.measures.robustness.card import FAMILIES
from mmbench.measures.robustness.corruptions import CORRUPTIONS, Corruption
from mmbench.measures.robustness.corruptions.base import merged
from mmbench.measures.robustness.curves import CLEAN, JOINT, Curve, area, retained
from mmbench.measures.robustness.predicted import STRENGTHS, predicted
from mmbench.measures.subject import Array, Findings, Plain, Subject, Table
from mmbench.nn.records import Inputs, Split

Key = tuple[str, str]  # corruption, modality
Measured = Mapping[Key, Mapping[float, Sequence[float]]]  # the metric of each draw, by level

LEAST_ROWS = 10
RESAMPLES, CLEARLY = 50, 3.0  # of the rows, for the clean score's standard error; so many of them above chance


def robustness(
    subject: Subject,
    *,
    levels: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0),
    draws: Annotated[int, Range(1, 100)] = 2,
    most: Annotated[int, Range(LEAST_ROWS, 1_000_000)] = 1000,
    passes: Annotated[int, Range(1000, 1e9, log=True)] = 50_000,
) -> Findings:
    """How much of the main metric is left when test inputs are corrupted.

    Every corruption strikes each modality of a kind that it fits, alone; noise, dropout and shuffled partners
    strike all modalities at once too. A curve is the main metric, mean over draws, at level 0 and ``levels``.

    Args:
        subject: the fitted method.
        levels: above 0, up to 1, the end of each corruption's scale; rising.
        draws: of each corruption that depends on chance, at each level.
        most: rows of the test split.
        passes: rows that go through the method in all, at most: with many corruptions, fewer rows are taken.

    Raises:
        MmbenchError: for levels that are no scale, and if ``passes`` leave fewer than 10 rows.
    """
    levels = _scale(levels)
    variants = _count(subject.task, len(levels), draws)
    base = subject.rows("test", min(most, _affordable(passes, variants)))
    predict = subject.predictor(base)
    prediction = predict(base.inputs)
    clean = subject.score(prediction, base)
    if not isfinite(clean):
        return Findings(reason=f"{subject.task.metric} of the clean inputs is not defined on {len(base)} test rows")
    measured: dict[Key, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    for key, level, inputs in _variants(subject, base.inputs, levels, draws):
        measured[key][level].append(subject.score(predict(inputs), base))
    curves = _curves(measured, clean)
    tables = {"curves": _table(measured, clean)}
    if subject.dataset in STRENGTHS and subject.task.metric == "accuracy":
        tables["predicted"] = predicted(subject.dataset, subject.parameters, subject.task.names, levels)
    notes: dict[str, Plain] = {
        "rows": len(base),
        "variants": variants,
        "draws": draws,
        "passes": len(base) * variants,
        "undefined_curves": sum(curve is None for curve in curves.values()),
    }
    nothing = replace(base.inputs, present=torch.zeros_like(base.inputs.present))
    chance = subject.score(predict(nothing), base)  # of the training prior on these very rows
    scores = _scores(subject.task, curves) | _retained(subject, curves, (clean, chance), prediction, base)
    reason = "" if scores else f"{subject.task.metric} is not defined on corrupted inputs"
    return Findings(scores, tables, notes, reason)


def _scale(levels: Sequence[float]) -> tuple[float, ...]:
    if list(levels) != sorted(set(levels)) or not levels or not 0 < levels[0] <= levels[-1] <= 1:
        raise MmbenchError(f"robustness: levels={tuple(levels)}: take rising numbers above 0 and up to 1")
    return tuple(map(float, levels))


def _count(task: Task, levels: int, draws: int) -> int:
    """How many inputs there are for each row: the clean ones, and all corrupted ones."""
    return 1 + sum(
        levels * _draws(corruption, draws) * (len(corruption.fitting(task)) + corruption.strikes_all(task))
        for corruption in CORRUPTIONS
    )


def _affordable(passes: int, variants: int) -> int:
    if passes // variants < LEAST_ROWS:
        raise MmbenchError(
            f"robustness: passes={passes} for {variants} variants leave {passes // variants} rows, fewer than "
            f"{LEAST_ROWS}: allow more passes, or take fewer levels or draws"
        )
    return passes // variants


def _draws(corruption: Corruption, draws: int) -> int:
    return draws if corruption.drawn else 1


def _variants(
    subject: Subject, base: Inputs, levels: Sequence[float], draws: int
) -> Iterator[tuple[Key, float, Inputs]]:
    """All corrupted inputs, one by one. What strikes all modalities joins what strikes each alone."""
    for corruption in CORRUPTIONS:
        struck = corruption.fitting(subject.task)
        for level in levels:
            for draw in range(_draws(corruption, draws)):
                parts = []
                for modality in struck:
                    rng = subject.generator("robustness", corruption.name, modality.name, level, draw)
                    parts.append((modality, corruption(base, modality, level, rng)))
                    yield (corruption.name, modality.name), level, parts[-1][1]
                if corruption.strikes_all(subject.task):
                    yield (corruption.name, JOINT), level, merged(base, parts)


def _curves(measured: Measured, clean: float) -> dict[Key, Curve | None]:
    """Mean over draws, level 0 included; None where the metric is not defined at some level."""
    found: dict[Key, Curve | None] = {}
    for key, points in measured.items():
        curve = {0.0: clean} | {level: float(np.mean(values)) for level, values in points.items()}
        found[key] = curve if all(map(isfinite, curve.values())) else None
    return found


def _table(measured: Measured, clean: float) -> Table:
    rows: list[tuple[Plain, ...]] = [(CLEAN, "", 0.0, _short(clean), None)]
    for (corruption, modality), points in measured.items():
        for level, found in points.items():
            spread = float(np.std(found, ddof=1)) if len(found) > 1 else nan
            rows.append((corruption, modality, level, _short(float(np.mean(found))), _short(spread)))
    names = ("corruption", "modality", "level", "value", "spread")
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


def _short(value: float) -> float | None:
    return float(f"{value:.5g}") if isfinite(value) else None


def _scores(task: Task, curves: Mapping[Key, Curve | None]) -> dict[str, float]:
    """Areas under curves: the mean of all, the worst, and the means by corruption.

    Those that would have to do without one of their curves are left out: it may be the worst.
    """
    worst = min if task.score.higher_is_better else max
    found: dict[str, float] = {}
    for name in ("area", "worst", *FAMILIES):
        mine = [curve for (corruption, _), curve in curves.items() if name in ("area", "worst", corruption)]
        areas = [area(curve) for curve in mine if curve]
        if areas and len(areas) == len(mine):
            summary = worst if name == "worst" else np.mean
            found[f"robustness_{name}"] = float(summary(areas))
    return found


def _retained(
    subject: Subject,
    curves: Mapping[Key, Curve | None],
    levels: tuple[float, float],
    prediction: Array,
    base: Split,
) -> dict[str, float]:
    """The share of the clean score above chance (``levels``) that is left, where both are known and differ clearly."""
    clean, chance = levels
    areas = [area(curve) for curve in curves.values() if curve]
    if len(areas) < len(curves) or not isfinite(chance) or not _clearly_better(subject, prediction, base, chance):
        return {}
    return {"robustness_retained": retained(float(np.mean(areas)), clean, chance)}


def _clearly_better(subject: Subject, prediction: Array, base: Split, chance: float) -> bool:
    """Whether the clean score is better than chance by three of its standard errors (bootstrap of rows), on ten
    rows or more: on very few, all resamples can be alike."""
    if len(base) < LEAST_ROWS:
        return False
    light = replace(base, inputs=Inputs({}, base.inputs.present))  # scores read the targets alone
    rng = subject.generator("robustness", "resamples")
    resampled = []
    for _ in range(RESAMPLES):
        chosen = rng.integers(len(base), size=len(base))
        rows = light.take(torch.from_numpy(chosen).to(base.inputs.present.device))
        resampled.append(subject.score(prediction[chosen], rows))
    known = [score for score in resampled if isfinite(score)]
    if len(known) < RESAMPLES / 2:  # hardly ever defined on so few rows
        return False
    ahead = subject.score(prediction, base) - chance
    return (ahead if subject.task.score.higher_is_better else -ahead) > CLEARLY * float(np.std(known, ddof=1))
