"""What pictures are drawn on: Matplotlib, one fixed style, and the same bytes for the same figure."""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from math import ceil
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, get_args

from mmbench.core.errors import MmbenchError

if TYPE_CHECKING:  # it is slow to import, and it need not be installed
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Format = Literal["png", "svg"]
FORMATS: tuple[Format, ...] = get_args(Format)
WIDTH, DPI = 10.0, 120  # inches, and dots in each: 1200 pixels
LINE = 0.21  # inches of a line of text
CHARACTERS = 138  # of small text, in a line
BETWEEN = 4  # characters' worth of handle and space beside a label of the legend
GREY = "0.35"
STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with Matplotlib
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "0.88",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 5.5,
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "svg.hashsalt": "mmbench",  # else the names of its parts are drawn by lot
    "svg.fonttype": "path",
    "savefig.dpi": DPI,
    "figure.dpi": DPI,
}


@dataclass(frozen=True)
class Look:
    """How one method's line or point looks: alone by its marker, and in grey by its shade."""

    colour: str
    marker: str


# From viridis: the darker, the better the row stands on its board.
LOOKS = tuple(
    Look(colour, marker)
    for colour, marker in zip(
        ("#440154", "#453781", "#31678e", "#21918c", "#32b67a", "#86d549"), ("o", "s", "^", "D", "v", "P"), strict=True
    )
)
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.4)), (0, (5, 1.5, 1, 1.5)))


def looks(count: int) -> list[Look]:
    """So many of the six, as far apart as they can be."""
    return [LOOKS[round(place * (len(LOOKS) - 1) / max(1, count - 1))] for place in range(count)]


def matplotlib() -> ModuleType:
    """Matplotlib.

    Raises:
        MmbenchError: if it is not installed.
    """
    try:
        import matplotlib as found
    except ImportError:
        raise MmbenchError("mmbench plot needs Matplotlib: pip install 'mmbench[plot]'") from None
    return found


@contextmanager
def style() -> Iterator[None]:
    """In here figures look alike, whatever the user's own settings of Matplotlib are."""
    matplotlib()
    from matplotlib import style as styles

    with styles.context(["default", STYLE]):
        yield


def panels(count: int, *, across: int = 3, height: float = 2.7, share: bool = True) -> tuple["Figure", list["Axes"]]:
    """A new figure, and its panels, row by row.

    Args:
        count: of panels.
        across: of them side by side, at most.
        height: of a row, in inches.
        share: whether the axes of all panels have one scale.
    """
    from matplotlib.figure import Figure

    columns = min(count, across)
    rows = ceil(count / columns)
    figure = Figure(figsize=(WIDTH, rows * height), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=share, sharey=share, squeeze=False)
    axes = list(grid.flat)
    for empty in axes[count:]:
        empty.remove()
    for above in axes[max(0, count - columns) : (rows - 1) * columns]:  # nothing stands below these
        above.tick_params(labelbottom=True)
    return figure, axes[:count]


def label(axes: Sequence["Axes"], x: str, y: str = "") -> None:
    """Name the axes of all panels of a figure, once a column and once a row."""
    for place, panel in enumerate(axes):
        spec = panel.get_subplotspec()
        columns = spec.get_gridspec().ncols if spec is not None else 1
        if place + columns >= len(axes):  # nothing stands below
            panel.set_xlabel(x)
        if place % columns == 0:
            panel.set_ylabel(y)


def finish(
    figure: "Figure", title: str, about: str, notes: Sequence[str] = (), handles: Sequence["Artist"] = ()
) -> None:
    """Put words around the panels: a title and what is shown above, the legend and what is to be known below.

    Args:
        figure: from ``panels``; it grows by the height of the words.
        title: one line.
        about: one line: the metric, the protocol, what bands are.
        notes: sentences; empty ones are left out.
        handles: of the legend, each with a label.
    """
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    text = textwrap.wrap(" ".join(filter(None, notes)), CHARACTERS)
    columns = _columns([str(handle.get_label()) for handle in handles])
    legend = ceil(len(handles) / columns) * LINE + 0.05 if handles else 0.0
    below = legend + len(text) * LINE * 0.9 + 0.08
    above = 2 * LINE + 0.28
    height = figure.get_figheight() + above + below
    figure.set_figheight(height)
    figure.set_layout_engine(ConstrainedLayoutEngine(rect=(0, below / height, 1, 1 - (above + below) / height)))
    left = 0.12 / WIDTH
    figure.text(left, 1 - 0.1 / height, title, ha="left", va="top", fontsize=13, fontweight="bold")
    figure.text(left, 1 - (0.16 + 1.25 * LINE) / height, about, ha="left", va="top", fontsize=10, color=GREY)
    if text:
        figure.text(left, 0.06 / height, "\n".join(text), ha="left", va="bottom", fontsize=9, color=GREY)
    if handles:
        figure.legend(
            handles=list(handles), loc="upper center", bbox_to_anchor=(0.5, below / height), ncols=columns, borderpad=0
        )


def encoded(figure: "Figure", form: Format) -> bytes:
    """The file of a figure, without date and version, so that the same figure gives the same bytes."""
    buffer = BytesIO()
    metadata = {"Software": None} if form == "png" else {"Date": None, "Creator": None}
    figure.savefig(buffer, format=form, metadata=metadata)  # None leaves a field out
    return buffer.getvalue()


def _columns(labels: Sequence[str]) -> int:
    """Of a legend, so that its widest labels fit, and its rows are of one length."""
    widest = max((len(label) for label in labels), default=0) + BETWEEN
    most = max(1, int(CHARACTERS * 0.9) // widest)
    return max(1, ceil(len(labels) / max(1, ceil(len(labels) / most))))
