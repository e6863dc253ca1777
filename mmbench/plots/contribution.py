"""Contribution bars: how much of a method's score each modality brings."""

from collections.abc import Mapping
from statistics import fmean

from mmbench.boards.board import BoardRow
from mmbench.plots.choice import NothingToDrawError
from mmbench.plots.material import Found, Material, Picture, Spread, about, find, over, title
from mmbench.plots.paper import LINE, LOOKS, finish, label, panels

UP, DOWN = LOOKS[2].colour, LOOKS[4].colour


def contribution(material: Material) -> list[Picture]:
    """A panel a method, a bar a modality: its Shapley value; the modalities in one order, the greatest mean first.

    Raises:
        NothingToDrawError: if there are no Shapley values, or of one modality alone.
    """
    board, found = material.board, find(material, "contribution", "shapley")
    if len(board.task.modalities) < 2:
        raise NothingToDrawError("there is one modality, which contributes everything")
    values = {row.id: shapley(found, row) for row in found.chosen.rows}
    names = [modality.name for modality in board.task.modalities]
    names.sort(key=lambda name: -fmean(of_row[name].mean for of_row in values.values() if name in of_row))
    figure, axes = panels(len(values), height=0.9 + 1.4 * LINE * len(names))
    for panel, row in zip(axes, found.chosen.rows, strict=True):
        of_row = values[row.id]
        spreads = [of_row[name] for name in names]
        bars = panel.barh(
            names,
            [spread.mean for spread in spreads],
            xerr=[spread.deviation for spread in spreads] if spreads[0].seeds > 1 else None,
            color=[UP if spread.mean >= 0 else DOWN for spread in spreads],
            error_kw={"elinewidth": 1.2, "capsize": 3},
            height=0.65,
            label=row.label,
        )
        for bar, spread in zip(bars, spreads, strict=True):
            bar.set_hatch("" if spread.mean >= 0 else "////")
        panel.axvline(0, color="black", linewidth=0.8)
        panel.set_title(f"{row.label}\n{_gain(found, row)}")
        panel.grid(True, axis="x")
    label(axes, "Shapley value")
    axes[0].invert_yaxis()  # which all share
    turned = "" if board.score.higher_is_better else ", negated"
    notes = [
        "The values of a method sum to its gain over no modality at all; hatched: the modality does harm.",
        _mechanisms(found),
        found.rows_note,
        found.chosen.note,
    ]
    line = f"Shapley value of {board.score.title}{turned}: {over(found.seeds)}"
    bars_note = ", bars: ± standard deviation" if found.several else ""
    finish(figure, title(board, "what each modality contributes"), about(board, line + bars_note), notes)
    return [Picture("contribution", figure)]


def shapley(found: Found, row: BoardRow) -> Mapping[str, Spread]:
    """By modality, over seeds."""
    values: dict[str, list[float]] = {}
    for table in found.tables[row.id].values():
        for name, value in zip(table["modality"], table["value"], strict=True):
            if isinstance(value, (int, float)):
                values.setdefault(str(name), []).append(value)
    return {name: Spread.of(known) for name, known in values.items()}


def _gain(found: Found, row: BoardRow) -> str:
    gain = found.measure.estimate(row.id, "contribution_gain")
    permuted = "" if set(found.notes(row, "absent")) <= {"masked"} else f", {found.notes(row, 'absent')[0]}"
    return f"sum {gain.mean:.3g}{permuted}" if gain else ""


def _mechanisms(found: Found) -> str:
    used = {str(mechanism) for row in found.chosen.rows for mechanism in found.notes(row, "absent")}
    said = f"Absent modalities are {' or '.join(sorted(used))}"
    return f"{said}; figures of the two are not comparable." if len(used) > 1 else f"{said}."
