"""Pictures of robustness: the main metric along levels of corruption, and beside what theory predicts."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from mmbench.boards.board import BoardRow
from mmbench.measures.robustness.card import FAMILIES
from mmbench.measures.robustness.curves import CLEAN, JOINT, Curve, curves_of
from mmbench.plots.choice import NothingToDrawError
from mmbench.plots.material import (
    Found,
    Material,
    Picture,
    Spread,
    about,
    find,
    metric,
    over,
    references,
    table_of,
    title,
)
from mmbench.plots.paper import DASHES, Look, finish, label, panels

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

PANELS = 6
METHODS, LINES = 4, 8  # in a panel: more cannot be told apart
ALONE = "one modality alone, mean"  # over the modalities that the corruption fits
NOISE = "noise"
RULES: Mapping[str, Mapping[str, Any]] = {  # the second is seen where the two are one
    "aware": {"color": "0.7", "linestyle": "-", "linewidth": 4},
    "unaware": {"color": "black", "linestyle": DASHES[1], "linewidth": 1.2},
}

Key = tuple[str, str]  # corruption, what it strikes
BySeed = Mapping[Key, Sequence[Curve]]


def robustness(material: Material) -> list[Picture]:
    """A panel a corruption, a colour and marker a method, a kind of line for what was corrupted.

    Raises:
        NothingToDrawError: if there are no curves.
    """
    board, found = material.board, find(material, "robustness", "curves", METHODS)
    strokes = _strokes(found, [modality.name for modality in board.task.modalities])
    curves = {row.id: _curves(found, row, ALONE in strokes) for row in found.chosen.rows}
    there = dict.fromkeys(corruption for known in curves.values() for corruption, _ in known)
    if not there:
        raise NothingToDrawError(f"{board.score.title} is not defined on corrupted inputs")
    order = sorted(there, key=lambda name: FAMILIES.index(name) if name in FAMILIES else len(FAMILIES))
    figure, axes = panels(min(PANELS, len(order)))
    for panel, corruption in zip(axes, order, strict=False):
        panel.set_title(corruption)
        panel.grid(True)
        for row, look in found.looks:
            for struck, dashes in strokes.items():
                known = curves[row.id].get((corruption, struck), ())
                _line(panel, known, look, dashes, f"{row.label}, {_named(struck)}")
    lines = [*_methods(found), *_kinds(strokes), *references(axes, board, ceiling="ceiling, clean")]
    hidden = order[PANELS:]
    notes = [
        found.rows_note,
        "Corruptions are not equally hard at the same level.",
        f"Not shown: {', '.join(hidden)}." if hidden else "",
        found.chosen.note,
    ]
    label(axes, "level of corruption", metric(board))
    band = over(found.seeds) + (", band: ± standard deviation" if found.several else "")
    finish(figure, title(board, f"{board.score.title} under corruption"), about(board, band), notes, lines)
    return [Picture("robustness", figure)]


def predicted(material: Material) -> list[Picture]:
    """Under noise: a panel for each modality that is struck, and one for all; the measured points beside the
    predicted curves of a rule that knows of the noise and of one that does not.

    Raises:
        NothingToDrawError: if nothing was predicted for the dataset.
    """
    board, found = material.board, find(material, "robustness", "curves")
    theory = _theory(found)
    if not theory:
        raise NothingToDrawError("there is no theory of it under noise")
    curves = {row.id: _curves(found, row) for row in found.chosen.rows}
    struck = [modality for _, modality in theory["aware"]]
    figure, axes = panels(len(struck), height=3.4)
    for panel, modality in zip(axes, struck, strict=True):
        panel.set_title(f"noise on {_named(modality)}")
        panel.grid(True)
        for rule, look in RULES.items():
            levels, values = zip(*sorted(theory[rule][NOISE, modality].items()), strict=True)
            panel.plot(levels, values, label=rule, zorder=1.5, **look)
        for place, (row, mark) in enumerate(found.looks):
            aside = 0.022 * (place - (len(found.looks) - 1) / 2)
            _points(panel, curves[row.id].get((NOISE, modality), ()), mark, row.label, aside)
    label(axes, "level of noise", metric(board))
    lines = [*_methods(found, "none"), *_rules(), *references(axes, board)]
    notes = [
        "Unaware: the posterior that was exact before the noise. Aware: the best possible for who knows the noise.",
        found.rows_note,
        "Points of one level stand a little apart.",
        found.chosen.note,
    ]
    bars = f"points: {over(found.seeds)}" + (", bars: ± standard deviation" if found.several else "")
    finish(figure, title(board, f"{board.score.title} under noise, beside theory"), about(board, bars), notes, lines)
    return [Picture("predicted", figure)]


def _strokes(found: Found, modalities: Sequence[str]) -> Mapping[str, Any]:
    """Kinds of lines: for all modalities at once and each alone, or their mean where these were too many lines."""
    if len(modalities) == 1:
        return {modalities[0]: DASHES[0]}
    kinds = 1 + len(modalities)
    few = kinds <= len(DASHES) and kinds * len(found.chosen.rows) <= LINES
    return dict(zip([JOINT, *(modalities if few else [ALONE])], DASHES, strict=False))


def _curves(found: Found, row: BoardRow, averaged: bool = False) -> BySeed:
    """The curves of every seed of a row, and with ``averaged`` their mean over single modalities, too."""
    curves: dict[Key, list[Curve]] = {}
    for table in found.tables[row.id].values():
        of_seed = curves_of(table)
        if averaged:
            of_seed |= dict(_means(of_seed))
        for key, curve in of_seed.items():
            curves.setdefault(key, []).append(curve)
    return curves


def _means(curves: Mapping[Key, Curve]) -> Iterator[tuple[Key, Curve]]:
    for corruption in dict.fromkeys(corruption for corruption, _ in curves):
        single = [curve for (name, struck), curve in curves.items() if name == corruption and struck != JOINT]
        if single:
            yield (corruption, ALONE), {level: fmean(curve[level] for curve in single) for level in single[0]}


def _theory(found: Found) -> dict[str, dict[Key, Curve]]:
    """The predicted curves by rule; they are the same for all methods and seeds."""
    for entries in found.measure.entries.values():
        for entry in entries.values():
            if table := table_of(entry, "predicted"):
                corruptions = [NOISE if modality else CLEAN for modality in table["modality"]]
                return {rule: curves_of({**table, "corruption": corruptions, "value": table[rule]}) for rule in RULES}
    return {}


def _line(panel: "Axes", curves: Sequence[Curve], look: Look, dashes: Any, name: str) -> None:
    """The mean of some curves, and a band."""
    if not curves:
        return
    levels = sorted(curves[0])
    spreads = [Spread.of([curve[level] for curve in curves]) for level in levels]
    means = [spread.mean for spread in spreads]
    panel.plot(levels, means, color=look.colour, marker=look.marker, linestyle=dashes, label=name)
    if len(curves) > 1:
        low, high = ([s.mean + sign * s.deviation for s in spreads] for sign in (-1, 1))
        panel.fill_between(levels, low, high, color=look.colour, alpha=0.15, linewidth=0, label=name)


def _points(panel: "Axes", curves: Sequence[Curve], look: Look, name: str, aside: float) -> None:
    """Means of some curves as points, with bars."""
    if not curves:
        return
    levels = sorted(curves[0])
    spreads = [Spread.of([curve[level] for curve in curves]) for level in levels]
    panel.errorbar(
        [level + aside for level in levels],
        [spread.mean for spread in spreads],
        yerr=[spread.deviation for spread in spreads] if len(curves) > 1 else None,
        color=look.colour,
        marker=look.marker,
        linestyle="none",
        elinewidth=1,
        label=name,
    )


def _named(struck: str) -> str:
    if struck == ALONE:
        return struck
    return "all modalities at once" if struck == JOINT else f"{struck} alone"


def _methods(found: Found, dashes: Any = "-") -> list["Artist"]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], color=look.colour, marker=look.marker, linestyle=dashes, label=row.label)
        for row, look in found.looks
    ]


def _kinds(strokes: Mapping[str, Any]) -> list["Artist"]:
    from matplotlib.lines import Line2D

    if len(strokes) == 1:
        return []
    return [Line2D([], [], color="0.3", linestyle=dashes, label=_named(struck)) for struck, dashes in strokes.items()]


def _rules() -> list["Artist"]:
    from matplotlib.lines import Line2D

    return [Line2D([], [], label=f"predicted, {rule}", **look) for rule, look in RULES.items()]
