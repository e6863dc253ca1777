"""A board: a pure function of result files and of the analysis beside them. No numpy here."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median, stdev

from mmbench.boards.budget import UNTUNED, Budget
from mmbench.boards.derived import with_derived
from mmbench.boards.gather import (
    ARITHMETIC,
    CEILING,
    Gathering,
    LeftOut,
    Row,
    dataset_folders,
    gather,
    in_words,
    score_named,
    searched,
    training_data,
)
from mmbench.boards.measured import OfMeasure, measured
from mmbench.boards.schema import Analysis, Bootstrap, Difference, Estimate, RowAnalysis, read_analysis
from mmbench.boards.speed import Speed, speeds
from mmbench.core.errors import MmbenchError, did_you_mean
from mmbench.core.scores import Score
from mmbench.results.schema import TaskRecord

KNOWN_CEILING = "known ceiling"
ROBUSTNESS = "robustness"  # the measure with scores that need other rows
SECONDARY: Mapping[str, tuple[str, ...]] = {
    "classification": ("nll", "auroc", "balanced_accuracy", "macro_f1"),
    "multilabel": ("micro_f1", "average_precision", "auroc"),
    "regression": ("r2", "mae", "pearson"),
    "verification": ("auroc", "nll"),
    "anomaly": ("average_precision", "nll"),
}


@dataclass(frozen=True)
class BoardRow:
    """One line; that of the known ceiling is no run, and has a mean alone.

    Attributes:
        label: the method's spec, with what sets it apart.
        id: hash of the identity without the seed; empty for the known ceiling.
        role: ``method``, ``floor`` or ``ceiling``.
        scores: by name; intervals where the analysis has them.
        rank: None for ceilings and for rows without an interval.
        normalised: share of the way from chance to the ceiling.
        versus_unimodal: the difference to the board's best unimodal row.
        leading: not significantly below the best row that is no ceiling.
        best_unimodal: the unimodal row that is best on validation.
        own_encoder: the method brought its own.
        parameters, seconds: trained numbers, and training time: medians over seeds.
        seeds: that finished.
        failed: seeds that did not, by status.
        message: what the first of them says.
        reason: why there are no intervals.
        sequential: why its seeds were not trained at once on a board where they are.
        unaugmented: it has not seen the augmentation of its board.
        budget: what was spent on its hyper-parameters.
        found: what the search has found, and how good that and the default are on validation; empty without one.
    """

    label: str
    role: str
    scores: Mapping[str, Estimate]
    rank: int | None = None
    normalised: Estimate | None = None
    versus_unimodal: Difference | None = None
    leading: bool = False
    best_unimodal: bool = False
    own_encoder: bool = False
    parameters: int | None = None
    seconds: float | None = None
    seeds: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    message: str = ""
    reason: str = ""
    sequential: str = ""
    unaugmented: bool = False
    budget: Budget = UNTUNED
    found: str = ""
    id: str = ""

    @property
    def ran(self) -> bool:
        """Whether it comes from records."""
        return bool(self.seeds or self.failed)


@dataclass(frozen=True)
class Board:
    """One dataset under one protocol, and its rows of one budget.

    Attributes:
        protocol, protocol_version, dataset: what was run; the dataset as a spec.
        slug: of the dataset, as its folder is called.
        out: the folder of results.
        task, score: what was predicted, and the main metric.
        secondary: up to two more scores, which all finished rows have.
        rows: ceilings first (the known one, then those that ran), then by the main metric, then those
            without any finished seed.
        chance, ceiling: of the main metric, where known.
        bootstrap: how the intervals were made; None if there are none of these records.
        outdated: there is an analysis, but of other records.
        setting: what all rows share of the arithmetic, and whether seeds were trained at once.
        training_data: what was done to the train split, for all rows; empty for nothing.
        records, digest, core_source: what it was made from.
        left_out, unreadable: what it was not made from.
        budget: of all rows but those that cannot be tuned.
        marked: whether rows say what was spent on them: if they are tuned, or there are others that are.
        measures: of the fitted methods, by name.
        speeds: throughput of the rows, one a device setting.
    """

    protocol: str
    protocol_version: int
    dataset: str
    slug: str
    out: Path
    task: TaskRecord
    score: Score
    secondary: tuple[Score, ...]
    rows: tuple[BoardRow, ...]
    chance: float | None
    ceiling: float | None
    bootstrap: Bootstrap | None
    outdated: bool
    setting: str
    training_data: str
    records: int
    digest: str
    core_source: str
    left_out: tuple[LeftOut, ...]
    unreadable: Mapping[str, str]
    budget: Budget = UNTUNED
    marked: bool = False
    measures: Mapping[str, OfMeasure] = field(default_factory=dict)
    speeds: tuple[Speed, ...] = ()

    @property
    def reference(self) -> BoardRow | None:
        """The unimodal row that is best on validation."""
        return next((row for row in self.rows if row.best_unimodal), None)


def load_boards(folders: Sequence[Path], protocol: str | None = None, dataset: str | None = None) -> list[Board]:
    """The boards of all results below some folders, by protocol and dataset.

    Args:
        folders: of results; one that does not exist has none.
        protocol: this one alone.
        dataset: this one alone; its name without brackets stands for all its parameters.

    Raises:
        MmbenchError: if there are boards, but none of that protocol or dataset.
    """
    boards = []
    for folder in (found for out in folders for found in dataset_folders(out)):
        gatherings, unreadable = gather(folder)
        boards += [make_board(gathering, read_analysis(folder, gathering.budget)) for gathering in gatherings]
        for name, reason in unreadable.items() if not gatherings else ():
            logging.getLogger(__name__).warning("%s: %s", folder / name, reason)
    boards.sort(key=lambda board: (board.protocol, board.dataset, str(board.out), board.budget))
    if protocol is not None:
        boards = _chosen("protocol", protocol, {board.protocol for board in boards}, boards)
        boards = [board for board in boards if board.protocol == protocol]
    if dataset is not None:
        names = {name for board in boards for name in _names(board)}
        boards = _chosen("dataset", dataset, names, boards)
        boards = [board for board in boards if dataset in _names(board)]
    return boards


def _names(board: Board) -> tuple[str, str]:
    return board.dataset, board.dataset.partition("[")[0]


def _chosen(kind: str, name: str, known: set[str], boards: list[Board]) -> list[Board]:
    if boards and name not in known:
        raise MmbenchError(f"there are no results of {kind} {name!r}; {did_you_mean(name, known)}")
    return boards


def make_board(gathering: Gathering, stored: Analysis | None) -> Board:
    """The board of one dataset; an analysis of other records is set aside."""
    analysis = stored if stored is not None and stored.digest == gathering.digest else None
    leading = _leading(gathering, analysis) if analysis else set()
    rows = [_row(row, gathering, analysis, row.id in leading) for row in gathering.rows]
    if gathering.ceiling is not None:
        at_ceiling = {gathering.task.metric: Estimate(mean=gathering.ceiling)}
        rows.append(BoardRow(KNOWN_CEILING, CEILING, at_ceiling, normalised=Estimate(mean=1.0)))
    identity = gathering.newest.identity
    found = measured(gathering.rows)
    measures = {
        name: with_derived(of, gathering.rows, gathering.score.higher_is_better) if name == ROBUSTNESS else of
        for name, of in found.measures.items()
    }
    return Board(
        protocol=identity.protocol,
        protocol_version=identity.protocol_version,
        dataset=str(gathering.dataset),
        slug=gathering.folder.name,
        out=gathering.folder.parents[1],
        task=gathering.task,
        score=gathering.score,
        secondary=_secondary(gathering),
        rows=tuple(sorted(rows, key=lambda row: _order(row, gathering.score))),
        chance=gathering.chance,
        ceiling=gathering.ceiling,
        bootstrap=analysis.bootstrap if analysis else None,
        outdated=stored is not None and analysis is None,
        setting=_setting(gathering),
        training_data=training_data(identity),
        records=gathering.records,
        digest=gathering.digest,
        core_source=identity.core_source,
        left_out=gathering.left_out,
        unreadable={**gathering.unreadable, **found.unreadable},
        budget=gathering.budget,
        measures=measures,
        speeds=speeds(gathering.folder, gathering.rows),
        marked=bool(gathering.budget.trials) or not gathering.alone,
    )


def _row(row: Row, gathering: Gathering, analysis: Analysis | None, leading: bool) -> BoardRow:
    found = next((r for r in analysis.rows if r.id == row.id), None) if analysis else None
    parameters = [r.cost.parameters for r in row.results if r.cost.parameters is not None]
    seconds = [r.cost.fit_seconds for r in row.results if r.cost.fit_seconds is not None]
    best = gathering.best_unimodal
    return BoardRow(
        label=row.label,
        role=row.any.role,
        scores=found.scores if found else _means(row),
        rank=found.rank if found else None,
        normalised=found.normalised if found else _share(row, gathering),
        versus_unimodal=found.versus_unimodal if found else None,
        leading=leading,
        best_unimodal=best is not None and best.id == row.id,
        own_encoder=row.any.own_encoder,
        parameters=round(median(parameters)) if parameters else None,
        seconds=median(seconds) if seconds else None,
        seeds=len(row.results),
        failed=row.statuses,
        message=next((line for result in row.failed for line in result.outcome.message.splitlines()), ""),
        reason=_reason(found, gathering.task.metric) if found else "",
        sequential=next((r.execution.reason for r in row.results if len(row.results) > 1), ""),
        unaugmented=any(r.identity.augment and not r.execution.augmented for r in row.results),
        budget=row.budget,
        found=_found(row, gathering.score),
        id=row.id,
    )


def _found(row: Row, score: Score) -> str:
    """``width=32, lr=0.002 (validation accuracy 0.912, the default 0.9)``."""
    tuning = row.any.tuning
    if tuning is None:
        return ""
    values = ", ".join(f"{name}={value}" for name, value in searched(row.any).items()) or "the default"
    default = "" if tuning.default is None else f", the default {tuning.default:.4g}"
    return f"{values} (validation {score.title} {tuning.validation:.4g}{default})"


def _means(row: Row) -> dict[str, Estimate]:
    """What can be said without an analysis: means and deviations over seeds."""
    names = sorted({name for result in row.results for name in result.scores})
    return {
        name: Estimate(mean=fmean(values), deviation=stdev(values) if len(values) > 1 else None)
        for name in names
        if (values := row.values(name))
    }


def _share(row: Row, gathering: Gathering) -> Estimate | None:
    """(score - chance) / (ceiling - chance)."""
    values, chance, ceiling = row.values(gathering.task.metric), gathering.chance, gathering.ceiling
    if not values or chance is None or ceiling is None or chance == ceiling:
        return None
    return Estimate(mean=(fmean(values) - chance) / (ceiling - chance))


def _reason(row: RowAnalysis, metric: str) -> str:
    """Why the main metric has no interval."""
    return row.reason or (row.scores[metric].reason if metric in row.scores else f"no seed has the score {metric!r}")


def _order(row: BoardRow, score: Score) -> tuple[bool, bool, bool, bool, float, str]:
    main = row.scores.get(score.name)
    value = 0.0 if main is None else -main.mean if score.higher_is_better else main.mean
    return row.ran and not row.seeds, row.role != CEILING, row.ran and main is None, row.ran, value, row.label


def _leading(gathering: Gathering, analysis: Analysis) -> set[str]:
    """Ids of the best row that is no ceiling and of all that are not significantly below it."""
    metric, sign = analysis.metric, 1 if analysis.higher_is_better else -1
    ranked = {row.id: sign * row.scores[metric].mean for row in analysis.rows if row.rank is not None}
    if not ranked:
        return set()
    best = max(ranked, key=lambda row: (ranked[row], row))
    against = [d.seen_from(best) for d in analysis.comparisons if best in (d.first, d.second)]
    return set(ranked) - {d.second for d in against if d.sign == sign}


def _secondary(gathering: Gathering) -> tuple[Score, ...]:
    """The first two of the task's preferences that every finished row has."""
    rows = [row for row in gathering.rows if row.results]
    names = [
        name
        for name in SECONDARY.get(gathering.task.kind, ())
        if name != gathering.task.metric and rows and all(row.values(name) for row in rows)
    ]
    return tuple(score_named(name) for name in names[:2])


def _setting(gathering: Gathering) -> str:
    """``cpu, float32, 1 thread``, as far as all rows agree."""
    identities = [row.any.identity for row in gathering.rows]
    shared = []
    for name in ARITHMETIC:
        values = {getattr(identity, name) for identity in identities}
        if len(values) == 1 and values != {False}:
            shared.append(in_words(name, values.pop()))
    if gathering.newest.identity.together:
        shared.append("seeds trained at once")
    return ", ".join(shared)
