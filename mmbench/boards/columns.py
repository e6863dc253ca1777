"""Columns of a board that come from measures of the fitted methods and from throughput."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mmbench.boards.measured import OfMeasure
from mmbench.boards.numbers import NONE, count, decimals, fixed, plural
from mmbench.boards.schema import Estimate
from mmbench.core.scores import Score

PLACES = 3  # at most
LARGE = 10_000  # from here on numbers are written as 12.3k


@dataclass(frozen=True)
class Shown:
    """One score of a measure, over the rows of a board.

    Attributes:
        measure: that found it.
        score: with the direction that it has under the board's main metric.
    """

    measure: OfMeasure
    score: Score

    def cells(self, rows: Sequence[str]) -> tuple[str, ...]:
        """Of rows by their id; ``n/a`` where the measure does not apply, a dash where it was not taken."""
        found = [self.measure.estimate(row, self.score.name) for row in rows]
        means = [estimate.mean for estimate in found if estimate]
        places = min(PLACES, decimals(self.score, means))
        large = bool(means) and max(map(abs, means)) >= LARGE
        return tuple(
            self._cell(row, estimate, places, large) if row else "" for row, estimate in zip(rows, found, strict=True)
        )

    def _cell(self, row: str, estimate: Estimate | None, places: int, large: bool) -> str:
        if estimate is None:
            return self.measure.absent(row) or NONE
        return count(round(estimate.mean)) if large else fixed(estimate.mean, places)


def headlines(measures: Sequence[OfMeasure], main: Score) -> list[Shown]:
    """What stands beside the main metric."""
    return [Shown(found, score.under(main)) for found in measures if (score := found.headline) is not None]


def details(measures: Sequence[OfMeasure], main: Score) -> list[Shown]:
    """What the second table shows."""
    return [
        Shown(found, score.under(main))
        for found in measures
        for name in found.card.details
        for score in found.card.scores
        if score.name == name
    ]


def about(measures: Sequence[OfMeasure], main: Score, labels: dict[str, str], detailed: bool) -> Iterator[str]:
    """What the columns mean, and what a reader should know of them.

    Args:
        measures: on the board.
        main: the main metric.
        labels: of rows, by their id.
        detailed: whether the second table is shown, too.
    """
    for found in measures:
        details = _named(found, found.card.details) if detailed else []
        shown = [score for score in (found.headline, *details) if score is not None]
        if not shown:
            continue
        chance = [f"{score.title} {score.chance:g}" for score in shown if score.chance is not None]
        said = f"; by chance: {', '.join(chance)}" if chance else ""
        yield (
            f"{'; '.join(score.title for score in shown)}: of the measure {found.spec}. {found.card.summary}{said}. "
            f"{_of_seeds(found, shown)}"
        )
        for reason, rows in found.reasons().items():
            names = ", ".join(sorted(labels[row] for row in rows if row in labels))
            yield f"{found.card.name} of {names}: {reason}."
        if found.refitted:
            names = ", ".join(found.refitted)
            yield f"{found.card.name} of {names}: the fits that were measured have another {main.title} than records."
        if found.others:
            specs = ", ".join(dict.fromkeys(found.others))
            yield f"Not shown: {plural(len(found.others), 'measurement')} by other source or parameters: {specs}."


def _named(found: OfMeasure, names: Sequence[str]) -> list[Score]:
    return [score for name in names for score in found.card.scores if score.name == name]


def _of_seeds(found: OfMeasure, shown: Sequence[Score]) -> str:
    """How many seeds stand behind the means, and how far these lie apart."""
    counts = found.seeds()
    if not counts:
        return ""
    if max(counts) == 1:
        return "Of one seed."
    seeds = f"{min(counts)} to {max(counts)} seeds" if min(counts) < max(counts) else plural(max(counts), "seed")
    spreads = [(score.title, found.spread(score.name)) for score in shown]
    said = ", ".join(f"{title} {spread:.2g}" for title, spread in spreads if spread is not None)
    return f"Means of {seeds}" + (f"; standard deviation between seeds (median over rows): {said}." if said else ".")
