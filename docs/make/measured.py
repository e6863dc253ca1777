"""Writes ``docs/measures/findings.md`` from the committed leaderboards: what the measures say that accuracy did not.

``make docs`` runs it. Every number comes from a record or a measurement under ``leaderboards/results``.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory

from click.testing import CliRunner
from scipy.stats import rankdata, spearmanr

from mmbench.boards.board import Board, BoardRow, load_boards
from mmbench.boards.measured import OfMeasure
from mmbench.cli import main
from mmbench.core.scores import Score

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "leaderboards" / "results"
PAGE = ROOT / "docs" / "measures" / "findings.md"
PICTURES = ROOT / "docs" / "pictures" / "measures"
DRAWN = {  # kind of picture: the dataset whose picture is shown, and what to see in it
    "predicted": ("pid-redundant", "Noise on one view or both, beside what theory says of it."),
    "robustness": ("avdigits", "How accuracy falls with the level of each corruption."),
    "contribution": ("pid-unique", "What each modality brings: here the first alone holds the answer."),
    "missing": ("pid-complementary", "What single modalities leave of the accuracy."),
    "pareto": ("avdigits", "Accuracy against samples a second, on one thread of a CPU."),
    "reliability": ("avdigits", "How often predictions of a given probability are right."),
}
FEW = 10  # methods on a board, below which nothing is compared there
KNOWN = ("pid-redundant", "pid-complementary", "pid-unique", "pid-synergy")

INTRODUCTION = """# What the measures say

Made from `leaderboards/results` by `make docs`. Where several seeds were measured, means are taken. Ranks over datasets
describe; no test is made of them.
"""

Line = str
Values = dict[str, float]  # of a score, by method; higher is better


def page(results: Path = RESULTS) -> str:
    """The whole page."""
    boards = [board for board in load_boards([results], protocol="standard") if _measured(board)]
    lines = [INTRODUCTION]
    for section in (_coverage, _ranks, _agreement, _known, _pictures, _costs):
        lines += [*section(boards), ""]
    return "\n".join(lines).rstrip() + "\n"


def _coverage(boards: Sequence[Board]) -> list[Line]:
    cells = []
    for board in boards:
        seeds = {len(of.entries.get(row.id, {})) for row in _methods(board) for of in board.measures.values()} - {0}
        of = f"{min(seeds)} to {max(seeds)} seeds" if len(seeds) > 1 else f"{max(seeds)} seed{'s' * (max(seeds) > 1)}"
        cells.append(f"{board.dataset} ({len(_measured(board))} methods, {of})")
    return ["## What was measured", "", f"{', '.join(cells)}."]


def _ranks(boards: Sequence[Board]) -> list[Line]:
    """Mean ranks of methods over the boards that have most of them."""
    wide = [board for board in boards if len(_measured(board)) >= FEW]
    ranks: dict[str, dict[str, list[float]]] = {}
    for board in wide:
        for name, values in _columns(board).items():
            methods = sorted(values)
            for method, rank in zip(methods, rankdata([-values[m] for m in methods]), strict=True):
                ranks.setdefault(method, {}).setdefault(name, []).append(float(rank))
    names = list(dict.fromkeys(name for of in ranks.values() for name in of))
    full = max((len(of[names[0]]) for of in ranks.values()), default=0)
    rows = {method: of for method, of in ranks.items() if len(of.get(names[0], ())) == full}
    order = sorted(rows, key=lambda method: (fmean(rows[method][names[0]]), method))

    def cell(method: str, name: str) -> str:
        found, most = rows[method].get(name, []), max(len(of.get(name, [])) for of in rows.values())
        return f"{fmean(found):.1f}" if len(found) == most else "–"

    return [
        "## Ranks",
        "",
        f"Mean rank (1 is best) of the methods that were measured on each of {full} datasets: by the main metric, and",
        "by each headline measure, as far as it applies to the task (a regression has no ECE). A dash: it does not",
        "apply to the method (without encodings of each modality there is no MM). MM is no quality: where the",
        "modalities hold different information, a good method matches little.",
        "",
        f"| method | {' | '.join(names)} |",
        f"| --- | {' | '.join(['---:'] * len(names))} |",
        *(f"| `{method}` | {' | '.join(cell(method, name) for name in names)} |" for method in order),
    ]


def _agreement(boards: Sequence[Board]) -> list[Line]:
    """Whether the order by a measure is the order by the main metric."""
    rows = []
    for board in boards:
        if len(_measured(board)) < FEW:
            continue
        main, *others = _columns(board).items()
        cells = []
        for _, values in others:
            both = [method for method in main[1] if method in values]
            cells.append(_spearman([main[1][m] for m in both], [values[m] for m in both]))
        rows.append((board.dataset, cells))
    heads = ("MM", "robustness", "worst missing", "ECE")
    return [
        "## Does accuracy say it already?",
        "",
        "Spearman's correlation over methods between the main metric and each measure (both turned so that higher is",
        "better). Near 1, the measure orders methods as accuracy does; near 0 or below, it says something else.",
        "",
        f"| dataset | {' | '.join(heads)} |",
        f"| --- | {' | '.join(['---:'] * len(heads))} |",
        *(f"| {dataset} | {' | '.join(cells)} |" for dataset, cells in rows),
    ]


def _known(boards: Sequence[Board]) -> list[Line]:
    """Where the truth is known: what each modality contributes."""
    rows = []
    for board in boards:
        of = board.measures.get("contribution")
        row = next((row for row in board.rows if row.label == "late"), None)
        if board.dataset not in KNOWN or of is None or row is None or not of.entries.get(row.id):
            continue
        table = next(iter(of.entries[row.id].values())).tables["shapley"]
        shares = ", ".join(f"{name} {value:.3f}" for name, value in zip(table["modality"], table["value"], strict=True))
        interaction = of.estimate(row.id, "contribution_interaction")
        mm = board.measures["matching"].estimate(row.id, "matching_mm") if "matching" in board.measures else None
        matched = f"{mm.mean:.3f}" if mm else "–"
        rows.append(
            f"| {board.dataset} | {shares} | {f'{interaction.mean:+.3f}' if interaction else '–'} | {matched} |"
        )
    return [
        "## Where the truth is known",
        "",
        "Of `late`: Shapley values of the two modalities (in accuracy), their interaction, and MM. Without noise,",
        "redundant modalities have the interaction −½, a XOR +½, and one that alone holds the answer has all of the",
        "value. Views that share nothing but the label, or nothing at all, cannot match beyond it.",
        "",
        "| dataset | Shapley values | interaction | MM |",
        "| --- | --- | ---: | ---: |",
        *rows,
    ]


def _pictures(boards: Sequence[Board]) -> list[Line]:
    """Those that ``draw`` has made."""
    there = [(kind, *shown) for kind, shown in DRAWN.items() if (PICTURES / f"{shown[0]}-{kind}.png").exists()]
    lines = [
        line
        for kind, dataset, words in there
        for line in ("", words, "", f"![{kind}](../pictures/measures/{dataset}-{kind}.png)")
    ]
    return ["## In pictures", "", "By `mmbench plot`, which draws them for any results.", *lines] if there else []


def draw() -> None:
    """The pictures of the page."""
    for kind, (dataset, _) in DRAWN.items():
        words = ["plot", str(RESULTS), "--protocol", "standard", "-d", dataset, "-k", kind]
        with TemporaryDirectory() as folder:
            done = CliRunner().invoke(main, [*words, "--out", folder])
            for path in Path(folder).glob(f"**/*-{kind}.png"):
                PICTURES.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, PICTURES / f"{dataset}-{kind}.png")
        if done.exit_code:
            print(done.output)


def _costs(boards: Sequence[Board]) -> list[Line]:
    """What each measure takes, against the training of the same cell."""
    seconds: dict[str, list[float]] = {}
    shares: dict[str, list[float]] = {}
    totals: dict[str, list[float]] = {}
    for board in boards:
        fits = board.measures.get("cost")
        for row in _methods(board):
            if row.parameters is None or fits is None:
                continue
            for seed, fit in fits.values(row.id, "cost_fit_seconds").items():
                taken = {name: of.entries.get(row.id, {}).get(seed) for name, of in board.measures.items()}
                known = {name: entry.seconds for name, entry in taken.items() if entry is not None and entry.scores}
                for name, value in known.items():
                    seconds.setdefault(name, []).append(value)
                    shares.setdefault(name, []).append(value / fit)
                totals.setdefault(row.label, []).append(sum(known.values()) / fit)
    rows = [f"| {name} | {median(seconds[name]):.2f} | {median(shares[name]):.2f} |" for name in sorted(seconds)]
    dear = sorted(totals, key=lambda method: (-median(totals[method]), method))
    each = ", ".join(f"`{method}` {median(totals[method]):.2f}" for method in dear)
    return [
        "## What measuring costs",
        "",
        "Of neural methods, medians over all cells that were measured: seconds, and their share of the training of the",
        "same cell in the same process. What several measures need (embeddings, predictions for subsets of",
        "modalities) is paid by the first that asks: `contribution` pays for `missing`.",
        "",
        "| measure | s | of the training |",
        "| --- | ---: | ---: |",
        *rows,
        "",
        f"All measures together, over the training, median by method: {each}.",
    ]


def _columns(board: Board) -> dict[str, Values]:
    """The main metric and the headline measures, by method, turned so that higher is better."""
    main = board.score
    found = {"main metric": {row.label: _turned(main, row.scores[main.name].mean) for row in _methods(board)}}
    for title, name in (
        ("MM", "matching"),
        ("robustness", "robustness"),
        ("worst missing", "missing"),
        ("ECE", "calibration"),
    ):
        of = board.measures.get(name)
        score = of.headline.under(main) if of and of.headline else None
        found[title] = _values(board, of, score) if of and score else {}
    known = {row.label for row in _measured(board)}
    return {
        name: {method: value for method, value in values.items() if method in known} for name, values in found.items()
    }


def _values(board: Board, of: OfMeasure, score: Score) -> Values:
    estimates = {row.label: of.estimate(row.id, score.name) for row in _methods(board)}
    return {method: _turned(score, estimate.mean) for method, estimate in estimates.items() if estimate}


def _turned(score: Score, value: float) -> float:
    return value if score.higher_is_better else -value


def _measured(board: Board) -> list[BoardRow]:
    """Rows of methods that have a measure of robustness: all that can predict do."""
    of = board.measures.get("robustness")
    return [row for row in _methods(board) if of and of.estimate(row.id, "robustness_area")]


def _methods(board: Board) -> list[BoardRow]:
    return [row for row in board.rows if row.role == "method" and row.seeds and board.score.name in row.scores]


def _spearman(one: Sequence[float], other: Sequence[float]) -> str:
    if len(one) < FEW or len(set(one)) < 2 or len(set(other)) < 2:
        return "–"
    return f"{spearmanr(one, other).statistic:+.2f}"


if __name__ == "__main__":
    draw()
    PAGE.write_text(page(Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS))
