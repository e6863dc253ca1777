"""Draws ``docs/pictures/sequence-curves.png``: validation criterion by epoch, from the committed records."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from mmbench.core.spec import Spec
from mmbench.results import store

mpl.use("Agg")
ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "leaderboards" / "results" / "standard"
PICTURE = ROOT / "docs" / "pictures" / "sequence-curves.png"
BOARDS = {"asynchronous": "two classes: chance is ln 2", "lagged": "four classes: chance is ln 4"}
METHODS = {
    "stcnet-style": "C0",
    "stcnet-style[scale=0.0]": "C9",
    "stcnet-style-local": "C1",
    "mult": "C4",
    "early-data": "C2",
    "late": "C3",
}


def curves(dataset: str) -> dict[str, list[Sequence[float]]]:
    """{method: one curve a seed}, of records that have one."""
    found: dict[str, list[Sequence[float]]] = defaultdict(list)
    for path in store.records(RESULTS / dataset):
        record = store.read(path)
        if record.ok and record.curve:
            found[str(Spec.of(record.identity.method, record.identity.parameters))].append(record.curve)
    return found


def draw() -> Path:
    """A panel a dataset: a thin line a seed, a thick one their mean."""
    figure = Figure(figsize=(9, 3.6), layout="constrained", dpi=120)
    for axes, (dataset, title) in zip(figure.subplots(1, len(BOARDS)), BOARDS.items(), strict=True):
        found = curves(dataset)
        for method, colour in METHODS.items():
            if method not in found:
                continue
            for curve in found[method]:
                axes.plot(range(1, len(curve) + 1), curve, color=colour, lw=0.6, alpha=0.5)
            steps = zip_longest(*found[method])
            mean = [sum(known) / len(known) for step in steps if (known := [x for x in step if x is not None])]
            axes.plot(range(1, len(mean) + 1), mean, color=colour, lw=2, label=f"{method} ({len(found[method])} seeds)")
        axes.set(title=f"{dataset}\n{title}", xlabel="epoch", ylabel="cross-entropy on validation")
        axes.spines[["top", "right"]].set_visible(False)
    handles = {line.get_label(): line for axes in figure.axes for line in axes.lines if line.get_linewidth() == 2}
    figure.legend(handles=list(handles.values()), loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    figure.savefig(PICTURE)
    return PICTURE


if __name__ == "__main__":
    draw()
