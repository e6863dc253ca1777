"""What ``mmbench tune`` shows: the search space before, a line a trial, and what was found."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mmbench.cli.progress import Lines
from mmbench.results.schema import Outcome
from mmbench.sweep.plan import Cell, CellBatch, Plan, Skip
from mmbench.sweep.tune.search import Search

if TYPE_CHECKING:
    from mmbench.sweep.tune.study import Study

STATES = ("ok", "pruned", "diverged", "error", "timeout", "killed")


class TrialLines(Lines):
    """A line a trial, and a count over all rounds."""

    def expect(self, trials: int) -> None:
        """Say how many trials there are in all."""
        self.total = trials

    def planned(self, plan: Plan) -> None:
        """The trials of a round; those that have run are counted as done."""
        self.done += sum(cell.state in ("done", "failed") for cell in plan.cells() if _is_trial(cell))

    def ended(self, batch: CellBatch, cell: Cell, outcome: Outcome, seconds: float) -> None:
        self.done += 1
        said = f": {outcome.message}" if outcome.message else ""
        self.say(f"[{self.done:>4}/{self.total}] {batch}: {outcome.status}{said}")


def _is_trial(cell: Cell) -> bool:
    return cell.place.trial is not None


def space_text(search: Search, left_out: Sequence[Skip]) -> str:
    """What would be searched, how many trials each search has, and what is left out."""
    from tabulate import tabulate

    lines = []
    spaces = {str(study.spec): study.space for study in search.studies}
    for spec, space in spaces.items():
        lines += [(spec if not k else "", name, str(dimension)) for k, (name, dimension) in enumerate(space.items())]
    reasons = {str(batch.method.spec): reason for batch, reason in search.untuned}
    lines += [(spec, "", f"nothing to tune: {reason}") for spec, reason in reasons.items()]
    parts = [tabulate(lines, ["method", "parameter", "searched"], tablefmt="simple", disable_numparse=True)]
    parts += [f"left out: {skip.method or 'every method'} on {skip.dataset}: {skip.reason}" for skip in left_out]
    return "\n\n".join([parts[0], "\n".join([*parts[1:], budget_line(search)])])


def budget_line(search: Search) -> str:
    """``20 random trials each of 12 searches: 240 trials``."""
    trials, number = search.budget.trials, len(search.studies)
    each = f"{trials} {search.budget.sampler} trial{'s' * (trials != 1)}"
    return f"{each} each of {number} search{'es' * (number != 1)}: {trials * number} trials in all"


def found_text(search: Search) -> str:
    """A line a search: its trials, the default's score on validation, the best one's, and its values."""
    from tabulate import tabulate

    rows = [
        (str(study.batch.dataset.spec), str(study.spec), _states(study), *_found(study)) for study in search.studies
    ]
    heads = ["dataset", "method", "trials", "default", "best", "values of the best"]
    return tabulate(rows, heads, tablefmt="simple", disable_numparse=True)


def _states(study: "Study") -> str:
    counts = Counter[str](result.outcome.status for _, result in study.trials)
    return ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])


def _found(study: "Study") -> tuple[str, str, str]:
    best = study.best
    if best is None:
        return "–", "–", f"no trial has a score: {study.trials[0][1].outcome.message}"
    values = ", ".join(f"{name}={value}" for name, value in study.values(best).items())
    return _number(study.score(0)), _number(study.score(best)), values or "the default"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
