"""What measures of the fitted method found, gathered for a board: never from two sources, nor with two sets of
parameters, in one column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median, stdev

from mmbench.boards.gather import Row
from mmbench.boards.schema import Estimate
from mmbench.core.cards import MeasureCard
from mmbench.core.errors import MmbenchError
from mmbench.core.scores import Score
from mmbench.core.spec import parse_spec
from mmbench.registry import installed
from mmbench.results import measurements
from mmbench.results.measurements import Measurement

NOT_APPLICABLE = "n/a"


@dataclass(frozen=True)
class OfMeasure:
    """One measure on a board.

    Attributes:
        card: of the measure.
        spec: with the parameters that it had.
        entries: by row id and seed.
        others: the spec of each measurement that is not shown: of other source, or with other parameters.
        refitted: rows in which the fit that was measured has another score than the record, by the measure.
    """

    card: MeasureCard
    spec: str
    entries: Mapping[str, Mapping[int, Measurement]]
    others: tuple[str, ...] = ()
    refitted: tuple[str, ...] = ()

    @property
    def headline(self) -> Score | None:
        return next((score for score in self.card.scores if score.name == self.card.headline), None)

    def values(self, row: str, score: str) -> dict[int, float]:
        """A score of a row, by seed."""
        found = self.entries.get(row, {})
        return {seed: entry.scores[score] for seed, entry in found.items() if score in entry.scores}

    def estimate(self, row: str, score: str) -> Estimate | None:
        """Mean and deviation over seeds."""
        values = list(self.values(row, score).values())
        if not values:
            return None
        return Estimate(mean=fmean(values), deviation=stdev(values) if len(values) > 1 else None)

    def seeds(self) -> list[int]:
        """How many seeds of each row were measured, of rows that have a score."""
        counts = (sum(bool(entry.scores) for entry in found.values()) for found in self.entries.values())
        return [number for number in counts if number]

    def spread(self, score: str) -> float | None:
        """The deviation between seeds that is usual: the median over rows with more than one."""
        each = (self.estimate(row, score) for row in self.entries)
        found = [one.deviation for one in each if one is not None and one.deviation is not None]
        return median(found) if found else None

    def absent(self, row: str) -> str:
        """Why a row has no score of this measure: ``n/a``, ``failed``; empty if it was not taken."""
        found = list(self.entries.get(row, {}).values())
        if any(entry.scores for entry in found):
            return ""
        if any(entry.reason for entry in found):
            return NOT_APPLICABLE
        return "failed" if any(entry.error for entry in found) else ""

    def reasons(self) -> dict[str, list[str]]:
        """Why rows have no score: the row ids, by reason."""
        said: dict[str, list[str]] = {}
        for row, entries in self.entries.items():
            reason = next((entry.reason or entry.error for entry in entries.values() if not entry.scores), "")
            if reason:
                said.setdefault(reason, []).append(row)
        return said


@dataclass(frozen=True)
class Found:
    """All measures on a board, by name, and files that could not be read."""

    measures: Mapping[str, OfMeasure] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)


def measured(rows: Sequence[Row]) -> Found:
    """The measurements of all rows: of each measure those with the parameters that most rows have (the newest, of
    several), and of these the newest source."""
    by_measure: dict[str, list[tuple[str, Row, int, Measurement]]] = {}
    unreadable = {}
    for row in rows:
        for seed, path in zip(row.seeds, row.paths, strict=True):
            try:
                found = measurements.read(path)
            except MmbenchError as error:
                unreadable[measurements.path_of(path).name] = str(error)
                continue
            for spec, entry in found.measures.items() if found else ():
                if entry.to_come:
                    continue
                by_measure.setdefault(parse_spec(spec).name, []).append((spec, row, seed, entry))
    cards = installed().measures
    known = {name: by_measure[name] for name in cards if name in by_measure}  # in the order of their plugins
    return Found({name: _of_measure(cards[name], some) for name, some in known.items()}, unreadable)


def _of_measure(card: MeasureCard, found: Sequence[tuple[str, Row, int, Measurement]]) -> OfMeasure:
    rows = {spec: {row.id for own, row, _, entry in found if own == spec and not entry.error} for spec, *_ in found}
    newest = {spec: max(entry.created for own, _, _, entry in found if own == spec) for spec in rows}
    usual = max(rows, key=lambda spec: (len(rows[spec]), newest[spec], spec))
    _, source = max((entry.created, entry.source) for spec, _, _, entry in found if spec == usual)
    entries: dict[str, dict[int, Measurement]] = {}
    refitted = []
    others: list[str] = []
    for spec, row, seed, entry in found:
        if (spec, entry.source) != (usual, source):
            others.append(spec)
            continue
        entries.setdefault(row.id, {})[seed] = entry
        if entry.score is not None and not _same(entry.score, row, seed):
            refitted.append(row.label)
    return OfMeasure(card, usual, entries, tuple(others), tuple(dict.fromkeys(refitted)))


def _same(score: float, row: Row, seed: int) -> bool:
    """Whether the fit that was measured is the one that stands in the record, as far as its score tells."""
    kept = row.results[row.seeds.index(seed)]
    recorded = kept.scores.get(kept.task.metric)
    return recorded is None or abs(recorded - score) <= 1e-9 * max(1.0, abs(recorded))
