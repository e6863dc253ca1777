"""The measures of a fitted method, one after the other, each recorded as soon as it has ended."""

import time
from collections.abc import Sequence
from math import isfinite
from pathlib import Path

from mmbench.core.errors import MmbenchError
from mmbench.measures.subject import Findings
from mmbench.registry import load
from mmbench.results import measurements
from mmbench.results.measurements import Measurement
from mmbench.sweep.faults import MESSAGE, message_of, shortened, traceback_of
from mmbench.sweep.globals import restored_globals
from mmbench.sweep.measures import MeasureChoice, entry
from mmbench.sweep.subject import FittedSubject

CHANGED = "it writes into what it was given: copy a tensor before changing it"
SLACK = 1e-6  # of rounding, beyond a score's range
BEGUN = "the worker ended while it was measured"


def measure_cell(record: Path, key: str, subject: FittedSubject, choices: Sequence[MeasureChoice]) -> None:
    """Take measures of one cell. A measure that fails costs itself alone; one that ends the worker has left a
    note that it was begun, and comes last when it is tried once more.

    Args:
        record: path of the cell's record.
        key: of the cell.
        subject: the fitted method.
        choices: measures to be taken.
    """
    score = _score(subject)
    begun = _begun(record)
    ended: dict[str, Measurement] = {}
    for choice in sorted(choices, key=lambda choice: begun.get(str(choice.spec), 0)):
        spec = str(choice.spec)
        mark = entry(choice, error=BEGUN, begun=begun.get(spec, 0) + 1)
        measurements.enter(record, key, {**ended, spec: mark})
        before = subject.versions()
        found = _measured(choice, subject, score)
        if subject.versions() != before:
            measurements.enter(record, key, {spec: entry(choice, error=CHANGED)})
            return  # what comes after it would be measured on other data; the same command goes on there
        ended = {spec: found}
    if ended:
        measurements.enter(record, key, ended)


def _begun(record: Path) -> dict[str, int]:
    """How often measures were begun without an end, by spec."""
    return {spec: found.begun for spec, found in measurements.readable(record).items() if found.begun}


def _score(subject: FittedSubject) -> float | None:
    found = subject.score(subject.predictions("test"), subject.splits.test)
    return found if isfinite(found) else None


def _measured(choice: MeasureChoice, subject: FittedSubject, score: float | None) -> Measurement:
    """One measurement, whatever becomes of it."""
    started = time.perf_counter()
    try:
        with restored_globals():
            found = load(choice.card)(subject, **choice.parameters)
            if not isinstance(found, Findings):
                raise MmbenchError(f"measure {choice.card.name!r} gave a {type(found).__name__}, not Findings")
            _check(choice, found, subject)
        return _entry(choice, found, score, time.perf_counter() - started)
    except BaseException as error:  # whatever a plugin raises, sys.exit too
        return entry(choice, error=shortened(message_of(error), MESSAGE), traceback=traceback_of(error))


def _check(choice: MeasureChoice, found: Findings, subject: FittedSubject) -> None:
    known = [score.name for score in choice.card.scores]
    unknown = sorted(set(found.scores) - set(known))
    if unknown:
        raise MmbenchError(f"measure {choice.card.name!r} gave the score {unknown[0]!r}, which its card does not name")
    if not found.scores and not found.reason and known:
        raise MmbenchError(f"measure {choice.card.name!r} gave no score and no reason")
    main = subject.task.score
    for score in (score.under(main) for score in choice.card.scores if score.name in found.scores):
        value = found.scores[score.name]
        if not isfinite(value):
            raise MmbenchError(f"measure {choice.card.name!r}: {score.name} is {value}; leave out what is not defined")
        if not score.low - SLACK <= value <= score.high + SLACK:
            raise MmbenchError(
                f"measure {choice.card.name!r}: {score.name} is {value}, and its card says {score.low} to {score.high}"
            )
    for name, table in found.tables.items():
        if len({len(column) for column in table.values()}) > 1:
            raise MmbenchError(f"measure {choice.card.name!r}: columns of table {name!r} differ in length")


def _entry(choice: MeasureChoice, found: Findings, score: float | None, seconds: float) -> Measurement:
    return entry(
        choice,
        score=score,
        scores={name: _short(value) for name, value in found.scores.items()},
        tables={name: {key: tuple(column) for key, column in table.items()} for name, table in found.tables.items()},
        notes=dict(found.notes),
        reason=found.reason,
        seconds=round(seconds, 3),
    )


def _short(value: float) -> float:
    """To float32's digits."""
    return float(f"{float(value):.7g}")
