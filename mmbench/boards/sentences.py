"""The sentences under a board's table: what its marks mean, and what a reader should know."""

from collections.abc import Iterator, Sequence

from mmbench.boards import columns, speed
from mmbench.boards.board import Board
from mmbench.boards.budget import DEFAULT
from mmbench.boards.gather import CEILING, SHORT
from mmbench.boards.numbers import plural
from mmbench.boards.table import CONFIDENT, Style, statuses

FEW_UNITS = 20  # below these a bootstrap is a rough guide
FEW_SEEDS = 5
MANY = 6  # names in one sentence


def about(board: Board, style: Style, detailed: bool = True) -> Iterator[str]:
    """Only what applies to this board; ``detailed`` if its second table is shown."""
    rows = [row for row in board.rows if row.seeds]
    yield from _about_intervals(board, style)
    if any(row.normalised for row in rows):
        yield "of ceiling: (score − chance) / (ceiling − chance)."
    if board.reference is not None:
        star = f"; * its {CONFIDENT} interval excludes 0" if board.bootstrap else ""
        yield (
            f"vs unimodal: {board.score.title} minus that of {style.code(board.reference.label)}, the single modality "
            f"that is best on validation{'' if board.score.higher_is_better else '; below 0 is better'}{star}."
        )
    if board.budget.trials and any(not row.budget.trials for row in rows):
        yield f"tuning: {board.budget.words} of every method; {DEFAULT}: nothing in it to tune."
    if any(row.role == "floor" for row in rows):
        yield "floor: a simple reference that a fusion method should beat."
    if board.ceiling is not None or any(row.role == CEILING for row in rows):
        yield "ceiling: the best that any method can reach in expectation; a finite test split may give more or less."
    if any(row.own_encoder for row in rows):
        yield "†: brings its own encoders, so that not the fusion alone differs."
    labels = {row.id: style.code(row.label) for row in board.rows}
    yield from columns.about(list(board.measures.values()), board.score, labels, detailed)
    yield from speed.about(board.speeds)
    yield from _about_rows(board, style)
    yield from _about_files(board)


def _about_intervals(board: Board, style: Style) -> Iterator[str]:
    made = board.bootstrap
    if made is None:
        command = style.code(f"mmbench results analyse {board.out if not style.roomy else 'FOLDER'}")
        why = "the analysis beside the records is of other records; " if board.outdated else ""
        yield f"No intervals and no ranks: {why}for these, run {command}."
        return
    if not made.units:
        return
    yield (
        f"[low, high]: {CONFIDENT} interval over seeds and the test split "
        f"({plural(made.units, made.unit)} resampled, {plural(made.resamples, 'time')})."
    )
    bold = " Bold: not significantly below the best." if style.bold else ""
    yield (
        f"rank: 1 + the rows that are significantly better (paired, {CONFIDENT}, not corrected for the number of "
        f"comparisons); equal ranks are ties.{bold}"
    )
    if made.units < FEW_UNITS:
        yield f"Only {plural(made.units, made.unit)} in the test split: the intervals are rough."
    rows = [row for row in board.rows if row.seeds and board.score.name in row.scores]
    if any(row.seeds == 1 for row in rows):
        yield "Of a row with one seed the interval holds the chance of the test examples alone."
    if any(1 < row.seeds < FEW_SEEDS for row in rows):
        yield f"With fewer than {FEW_SEEDS} seeds an interval is too narrow where seeds differ much."
    main = [row.scores[board.score.name] for row in rows]
    if any(estimate.low is not None and estimate.low == estimate.high for estimate in main):
        yield "An interval without width means that all resamples gave one score, not certainty."


def _about_rows(board: Board, style: Style) -> Iterator[str]:
    for row in board.rows:
        if row.found:
            yield f"{style.code(row.label)} tuned: {row.found}."
        if row.reason:
            yield f"{style.code(row.label)} has no interval: {row.reason}."
        if row.sequential:
            yield f"{style.code(row.label)} was trained one seed after the other: {row.sequential}."
        if row.unaugmented:
            yield f"{style.code(row.label)} has not seen the augmentation, which acts in the suite's trainer alone."
        if row.failed:
            started = row.seeds + sum(row.failed.values())
            said = f": {row.message}" if row.message else ""
            yield f"{style.code(row.label)}: {row.seeds} of {started} seeds ok, {statuses(row)}{said}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MANY} more" if len(names) > MANY else ""
    return f"{', '.join(names[:MANY])}{more}"


def _about_files(board: Board) -> Iterator[str]:
    for out in board.left_out:
        yield f"Left out: {plural(out.records, 'record')} with {out.differs} ({_listed(out.methods)})."
    for name, reason in board.unreadable.items():
        yield f"Not read: {name}: {reason}"
    yield (
        f"Made from {plural(board.records, 'record')} (hash {board.digest[:SHORT]}), "
        f"core source {board.core_source[:SHORT]}."
    )
