"""From folders of results to files with pictures: one a dataset and kind, of matching one a method."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmbench.boards.board import Board, load_boards
from mmbench.core.errors import MmbenchError
from mmbench.plots.choice import NothingToDrawError, check_wanted
from mmbench.plots.contribution import contribution
from mmbench.plots.curves import predicted, robustness
from mmbench.plots.matching import matching
from mmbench.plots.material import Material, Picture
from mmbench.plots.missing import missing
from mmbench.plots.paper import Format, encoded, style
from mmbench.plots.pareto import pareto
from mmbench.plots.reliability import reliability
from mmbench.results import store

LISTED = 4  # datasets in a sentence
DRAW: Mapping[str, Callable[[Material], list[Picture]]] = {
    "robustness": robustness,
    "predicted": predicted,
    "reliability": reliability,
    "contribution": contribution,
    "missing": missing,
    "pareto": pareto,
    "matching": matching,
}


@dataclass
class Plotted:
    """What was drawn, and what was not.

    Attributes:
        paths: of pictures.
        left_out: datasets, by kind and reason.
    """

    paths: list[Path] = field(default_factory=list)
    left_out: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    @property
    def sentences(self) -> list[str]:
        """Why pictures are not there, one line a kind and reason."""
        return [f"no {kind} of {_listed(names)}: {reason}" for (kind, reason), names in self.left_out.items()]


def plot(
    folders: Sequence[Path],
    out: Path,
    *,
    kinds: Sequence[str] = (),
    protocol: str | None = None,
    dataset: str | None = None,
    methods: Sequence[str] = (),
    form: Format = "png",
) -> Plotted:
    """Draw pictures of all results below some folders, into ``<out>/<protocol>/<dataset>-<kind>.<format>``.

    Args:
        folders: of results.
        out: folder of pictures.
        kinds: of pictures; none are all.
        protocol, dataset: these alone.
        methods: to be shown; none to have a readable few chosen.
        form: of the files.

    Raises:
        MmbenchError: if there are no results, or none of that protocol, dataset or method; if two folders hold the
            same dataset, whose pictures would be one file; if Matplotlib is not installed.
    """
    boards = load_boards(folders, protocol=protocol, dataset=dataset)
    if not boards:
        raise MmbenchError(f"there are no results in {', '.join(map(str, folders))}; name another folder")
    check_wanted(boards, methods)
    _check_apart(boards)
    plotted = Plotted()
    with style():
        for board in boards:
            for kind in kinds or DRAW:
                _plot(Material(board, tuple(methods)), kind, out, form, plotted)
    return plotted


def _plot(material: Material, kind: str, out: Path, form: Format, plotted: Plotted) -> None:
    board = material.board
    try:
        pictures = DRAW[kind](material)
    except NothingToDrawError as error:
        plotted.left_out.setdefault((kind, str(error)), []).append(board.dataset)
        return
    for picture in pictures:
        path = out / board.protocol / f"{board.slug}{board.budget.file}-{picture.name}.{form}"
        store.write_whole(path, encoded(picture.figure, form))
        plotted.paths.append(path)


def _listed(names: Sequence[str]) -> str:
    if len(names) <= LISTED:
        return ", ".join(names)
    return f"{len(names)} datasets ({', '.join(names[:LISTED])}, …)"


def _check_apart(boards: Sequence[Board]) -> None:
    """Whether no two boards share their files."""
    seen: dict[tuple[str, str, object], Board] = {}
    for board in boards:
        other = seen.setdefault((board.protocol, board.slug, board.budget), board)
        if other is not board:
            raise MmbenchError(
                f"{other.out} and {board.out} both hold {board.protocol}/{board.dataset}; give one of them"
            )
