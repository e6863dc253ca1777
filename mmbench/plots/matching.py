"""The matching matrix: how far the encodings of each two modalities find each other."""

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

from mmbench.boards.board import BoardRow
from mmbench.boards.numbers import fixed
from mmbench.core.errors import MmbenchError
from mmbench.core.spec import Spec, parse_spec
from mmbench.plots.choice import NothingToDrawError
from mmbench.plots.material import Found, Material, Picture, about, find, over, seeds_text, title
from mmbench.plots.paper import finish, panels

SCORE = "matching_mm"  # a column of the table of pairs
DARK = 0.5  # below, numbers are white

Pair = tuple[str, str]


def matching(material: Material) -> list[Picture]:
    """A picture a method: a cell for every two modalities.

    Raises:
        NothingToDrawError: if no method has such scores, or there are fewer than three modalities.
    """
    names = [modality.name for modality in material.board.task.modalities]
    if len(names) < 3:
        raise NothingToDrawError("of fewer than three modalities it is one number, which stands on the board")
    found = find(material, "matching", "pairs")
    scores = {row.id: pairs_of(found, row) for row in found.chosen.rows}
    pictures = [_draw(material, found, row, names, scores[row.id]) for row in found.chosen.rows if scores[row.id]]
    if not pictures:
        raise NothingToDrawError("no method has mapped scores of several pairs of modalities")
    return pictures


def pairs_of(found: Found, row: BoardRow) -> Mapping[Pair, Sequence[float]]:
    """The score of each two modalities, of every seed that has it."""
    values: dict[Pair, list[float]] = {}
    for table in found.tables[row.id].values():
        for first, second, value in zip(table["first"], table["second"], table.get(SCORE, ()), strict=False):
            if isinstance(value, (int, float)):
                values.setdefault((str(first), str(second)), []).append(value)
    return values


def _draw(
    material: Material, found: Found, row: BoardRow, names: Sequence[str], scores: Mapping[Pair, Sequence[float]]
) -> Picture:
    means = {frozenset(pair): fmean(values) for pair, values in scores.items()}
    cells = [[means.get(frozenset((one, other)), float("nan")) for other in names] for one in names]
    figure, (panel,) = panels(1, height=1.6 + 0.55 * len(names))
    image = panel.imshow(cells, cmap="viridis", vmin=0, vmax=1, aspect="auto")
    for y, across in enumerate(cells):
        for x, value in enumerate(across):
            if value == value:
                panel.text(x, y, fixed(value, 2), ha="center", va="center", color="white" if value < DARK else "black")
            elif x == y:
                panel.text(x, y, "–", ha="center", va="center", color="0.5")
    panel.set_xticks(range(len(names)), names, rotation=30, ha="right", rotation_mode="anchor")
    panel.set_yticks(range(len(names)), names)
    panel.spines[:].set_visible(False)
    figure.colorbar(image, ax=panel, label="matching MM (0: chance, 1: identical)", extend="min")
    deviations = [stdev(values) for values in scores.values() if len(values) > 1]
    notes = [
        "Cosine matching of the encodings of one sample, after a linear map; higher is not better by itself.",
        f"Standard deviation over seeds: at most {max(deviations):.2f}." if deviations else "",
        found.rows_note,
        found.chosen.note,
    ]
    line = about(material.board, over(seeds_text([len(found.tables[row.id])])))
    finish(figure, title(material.board, f"matching of modalities in {row.label}"), line, notes)
    return Picture(f"matching-{_file_name(row.label)}", figure)


def _file_name(label: str) -> str:
    try:
        return parse_spec(label).slug
    except MmbenchError:  # something sets it apart from other rows of the same spec
        return Spec(label).slug
