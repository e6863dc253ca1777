"""Calibration of a fitted method's probabilities on the test split, before and after temperature scaling."""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from mmbench.core.parameters import Range
from mmbench.core.task import BERNOULLI
from mmbench.measures.calibration.errors import Calibration, Level, levels
from mmbench.measures.calibration.temperature import (
    brier,
    fit_temperature,
    logits_of,
    nll,
    probabilities_of,
)
from mmbench.measures.subject import Array, Findings, Plain, Subject, Table

ERRORS = {"width": "ece", "mass": "ece_mass", "classwise": "ece_classwise"}


def calibration(
    subject: Subject,
    *,
    bins: Annotated[int, Range(2, 100)] = 15,
    simulations: Annotated[int, Range(20, 10_000)] = 200,
) -> Findings:
    """Expected calibration errors with their null, Brier score and NLL on test; the same after temperature
    scaling that is fitted on validation.

    Args:
        subject: whose predictions are probabilities.
        bins: of each error.
        simulations: of the null, in which labels are drawn from the predicted probabilities.
    """
    kind = subject.task.kind
    exclusive = kind == "classification"
    if not (exclusive or kind in BERNOULLI):
        return Findings(reason=f"{kind} predicts no probabilities")
    probability, target = _probabilities(subject.predictions("test"), exclusive), subject.targets("test")
    if not len(target):
        return Findings(reason="the test split is empty")

    def judge(probability: Array, when: str) -> tuple[Calibration, dict[str, Level]]:
        found = Calibration(probability, exclusive, bins)
        null = found.null(subject.generator("calibration", when), simulations)
        return found, levels(found, target, null)

    logits = logits_of(probability, exclusive)
    plain, before = judge(probability, "before")
    scores = {
        **{ERRORS[name]: level.error for name, level in before.items()},
        "ece_null": before["width"].mean,
        "ece_null_95": before["width"].upper,
        "brier": brier(probability, target, exclusive),
        "nll_unscaled": nll(logits, target, exclusive),
    }
    notes: dict[str, Plain] = {"rows": len(target)}
    after: dict[str, Level] = {}
    temperature = _temperature(subject, exclusive, notes)
    if temperature is not None:
        scaled = probabilities_of(logits / temperature, exclusive)
        _, after = judge(scaled, "after")
        scores |= {f"{ERRORS[name]}_scaled": level.error for name, level in after.items()}
        scores["temperature"] = temperature
        scores["brier_scaled"] = brier(scaled, target, exclusive)
        scores["nll_scaled"] = nll(logits / temperature, target, exclusive)
    tables: dict[str, Table] = {"reliability": plain.reliability(target), "errors": _table(before, after)}
    return Findings(scores, tables, notes)


def _probabilities(prediction: Array, exclusive: bool) -> Array:
    """(N,K) of which rows sum to one in double precision, if classes are exclusive."""
    kept = np.asarray(prediction, np.float64).clip(0, 1)
    return kept / kept.sum(1, keepdims=True) if exclusive else kept


def _temperature(subject: Subject, exclusive: bool, notes: dict[str, Plain]) -> float | None:
    target: NDArray[Any] = subject.targets("validation")
    notes["validation_rows"] = len(target)
    if not len(target):
        notes["unscaled_because"] = "the validation split is empty"
        return None
    logits = logits_of(_probabilities(subject.predictions("validation"), exclusive), exclusive)
    temperature, determined = fit_temperature(logits, target, exclusive)
    notes["temperature_determined"] = determined
    return temperature


def _table(before: Mapping[str, Level], after: Mapping[str, Level]) -> Table:
    """Every error beside its null; one row an error and time."""
    times = (("before", before), ("after", after))
    rows = [(ERRORS[name], when, level) for when, some in times for name, level in some.items()]
    return {
        "error": [name for name, _, _ in rows],
        "scaling": [when for _, when, _ in rows],
        "value": [_short(level.error) for _, _, level in rows],
        "null": [_short(level.mean) for _, _, level in rows],
        "null_95": [_short(level.upper) for _, _, level in rows],
    }


def _short(value: float) -> float:
    return float(f"{value:.5g}")
