"""What a board's table says, whether a terminal or Markdown shows it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mmbench.boards.board import Board, BoardRow
from mmbench.boards.columns import Shown, headlines
from mmbench.boards.columns import details as measured_details
from mmbench.boards.gather import CEILING
from mmbench.boards.numbers import NONE, count, decimals, duration, fixed, signed
from mmbench.boards.schema import CONFIDENCE, Estimate
from mmbench.core.scores import Score

CONFIDENT = f"{CONFIDENCE:.0%}"


@dataclass(frozen=True)
class Style:
    """How a rendering writes things.

    Attributes:
        code: for specs and commands.
        bold: for the leading rows' scores; None if it cannot.
        roomy: whether cells may be wide.
    """

    code: Callable[[str], str]
    bold: Callable[[str], str] | None = None
    roomy: bool = False


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        heading: over it.
        cells: one a line.
        align: ``left`` or ``right``.
        dispensable: columns with a higher number are dropped first where space is short; 0 stays.
    """

    heading: str
    cells: tuple[str, ...]
    align: str = "right"
    dispensable: int = 0


def heading(board: Board) -> list[str]:
    """Lines over the table, after the title: task, modalities, metric and sizes."""
    task = board.task
    of = {"classification": "classes", "multilabel": "labels", "regression": "targets"}.get(task.kind, "outputs")
    outputs = f"{task.outputs} {of if task.outputs != 1 else of.removesuffix('s')}"
    modalities = [f"{m.name} ({m.kind} {'×'.join(map(str, m.shape))})" for m in task.modalities]
    sizes = [f"{rows:,} {split}" for split, rows in task.sizes.items()]
    bounds = [
        f"{name} {fixed(value, decimals(board.score, [value]))}"
        for name, value in (("chance", board.chance), ("ceiling", board.ceiling))
        if value is not None
    ]
    return [
        f"task: {task.kind}, {outputs}" if task.outputs else f"task: {task.kind}",
        f"modalities: {', '.join(modalities)}",
        f"metric: {titled(board.score, unit=True)}{''.join(f', {bound}' for bound in bounds)}",
        f"examples: {', '.join(sizes)}{f'; grouped by {task.group}' if task.group else ''}",
        *([f"train split: {board.training_data}"] if board.training_data else []),
        *([f"hyper-parameters: {spent(board)}"] if board.marked else []),
        *([f"run on: {board.setting}"] if board.setting else []),
    ]


def spent(board: Board) -> str:
    """What was spent on the hyper-parameters of all rows but those that cannot be tuned."""
    return f"the best of {board.budget.words} on validation" if board.budget.trials else "default"


def titled(score: Score, unit: bool = False) -> str:
    """``accuracy ↑``: higher is better."""
    name = f"{score.title} {score.arrow}".rstrip()
    return f"{name} (in {score.unit})" if unit and score.unit else name


def stacked(score: Score) -> str:
    """The same on as many lines as its title has words."""
    return f"{score.title.replace(' ', chr(10))} {score.arrow}".rstrip()


def columns(board: Board, style: Style) -> list[Column]:
    """The columns that this board has something to say in."""
    rows, score = board.rows, board.score
    roomy = style.roomy
    main = [row.scores[score.name].mean for row in rows if score.name in row.scores]
    places = decimals(score, main)
    title = f"{titled(score)} [{CONFIDENT}]" if board.bootstrap else titled(score)
    found = [
        Column("rank", tuple(map(_rank, rows))),
        Column("method", tuple(_method(row, style) for row in rows), "left"),
        Column("role", tuple("" if row.role == "method" else row.role for row in rows), "left"),
        Column(title, tuple(_main(row, score, places, style) for row in rows), "left"),
    ]
    if board.marked:
        found.insert(3, Column("tuning", _cells(rows, lambda row: _budget(row, style)), "left"))
    if board.ceiling is not None:
        found.append(Column("of ceiling" if roomy else "of\nceiling", tuple(map(_share, rows)), dispensable=3))
    for shown in headlines(list(board.measures.values()), score):
        found.append(_measure(shown, rows, roomy, dispensable=1))
    for number, speed in enumerate(board.speeds, start=1):
        mark = f" ({number})" if len(board.speeds) > 1 else ""
        found.append(Column(f"samples/s{mark} ↑", speed.cells([row.id for row in rows]), dispensable=1))
    if board.reference is not None:
        cells = tuple(_versus(row, places, style) for row in rows)
        found.append(Column("vs unimodal" if roomy else "vs\nunimodal", cells, "left", dispensable=2))
    if not headlines(list(board.measures.values()), score):
        found += _further(board, roomy)
    found.append(Column("seeds", _cells(rows, lambda row: _seeds(row, style)), "left"))
    return _telling(found)


def details(board: Board, style: Style) -> list[Column]:
    """Of the second table: what the first has no room for, once measures stand in it."""
    measures = list(board.measures.values())
    if not headlines(measures, board.score):
        return []
    ran = replace(board, rows=tuple(row for row in board.rows if row.seeds))
    found = [Column("method", tuple(_method(row, style) for row in ran.rows), "left")]
    found += [_measure(shown, ran.rows, style.roomy, 1) for shown in measured_details(measures, board.score)]
    return _telling([*found, *_further(ran, style.roomy)])


def _measure(shown: Shown, rows: Sequence[BoardRow], roomy: bool, dispensable: int) -> Column:
    heading = titled(shown.score) if roomy else stacked(shown.score)
    return Column(heading, shown.cells([row.id if row.seeds else "" for row in rows]), dispensable=dispensable)


def _further(board: Board, roomy: bool) -> list[Column]:
    """More scores of the predictions, and what training took."""
    rows = board.rows
    found = [
        Column(titled(other) if roomy else stacked(other), _secondary(board, other), dispensable=5 + number)
        for number, other in enumerate(board.secondary)
    ]
    parameters = _cells(rows, lambda row: count(row.parameters))
    return [
        *found,
        Column("parameters" if roomy else "params", parameters, dispensable=4),
        Column("training" if roomy else "time", _cells(rows, lambda row: duration(row.seconds)), dispensable=2),
    ]


def _telling(columns: Sequence[Column]) -> list[Column]:
    """Those with something in them."""
    return [column for column in columns if any(cell not in ("", NONE) for cell in column.cells)]


def _cells(rows: Sequence[BoardRow], write: Callable[[BoardRow], str]) -> tuple[str, ...]:
    """Cells that only rows that ran have."""
    return tuple(write(row) if row.ran else "" for row in rows)


def _rank(row: BoardRow) -> str:
    return str(row.rank) if row.rank is not None else "" if row.role == CEILING else NONE


def _method(row: BoardRow, style: Style) -> str:
    label = style.code(row.label) if row.ran else row.label
    return f"{label} †" if row.own_encoder else label


def _budget(row: BoardRow, style: Style) -> str:
    return str(row.budget) if style.roomy else row.budget.words


def _share(row: BoardRow) -> str:
    return fixed(row.normalised.mean, 3) if row.normalised else NONE


def _main(row: BoardRow, score: Score, places: int, style: Style) -> str:
    main = row.scores.get(score.name)
    if main is None:
        return NONE if row.seeds else statuses(row)
    mean = fixed(main.mean, places)
    if row.leading and style.bold:
        mean = style.bold(mean)
    return f"{mean}{_interval(main, places)}"


def _interval(estimate: Estimate, places: int) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f" [{fixed(estimate.low, places)}, {fixed(estimate.high, places)}]"


def _secondary(board: Board, score: Score) -> tuple[str, ...]:
    places = decimals(score, [row.scores[score.name].mean for row in board.rows if score.name in row.scores])

    def write(row: BoardRow) -> str:
        return fixed(row.scores[score.name].mean, places) if score.name in row.scores else NONE

    return _cells(board.rows, write)


def _versus(row: BoardRow, places: int, style: Style) -> str:
    if row.best_unimodal:
        return "reference"
    found = row.versus_unimodal
    if found is None:
        return NONE if row.ran else ""
    text = signed(found.difference, places)
    if style.roomy:
        text += f" [{signed(found.low, places)}, {signed(found.high, places)}]"
    return f"{text} *" if found.excludes_zero else text


def _seeds(row: BoardRow, style: Style) -> str:
    if not row.failed:
        return str(row.seeds)
    started = row.seeds + sum(row.failed.values())
    return f"{row.seeds} of {started} ok: {statuses(row)}" if style.roomy else f"{row.seeds}/{started}"


def statuses(row: BoardRow) -> str:
    """``2 diverged, 1 timeout``."""
    return ", ".join(f"{number} {status}" for status, number in row.failed.items())
