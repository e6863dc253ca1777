"""Writes ``docs/findings.md`` from the committed leaderboards: what the boards say when they are read together.

``make docs`` runs it. Every number comes from a record or an analysis under ``leaderboards/results``.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import fmean, stdev

from mmbench.boards.schema import Analysis, RowAnalysis, read_analysis
from mmbench.results import store
from mmbench.results.schema import Result

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "leaderboards" / "results" / "standard"
PAGE = ROOT / "docs" / "findings.md"
SPEEDS = ROOT / "leaderboards" / "training-speed.json"
CURVES = "pictures/sequence-curves.png"

INTRODUCTION = """# What the boards say together

Made from `leaderboards/results` by `make docs`; every interval is a 95% one over seeds and the test split, paired and
grouped as on the boards, and not corrected for the number of comparisons. All methods have the suite's encoders and
training options (unless they bring their own), none was tuned.
"""

Line = str


def page() -> str:
    """The whole page."""
    analyses = {path.name: found for path in sorted(RESULTS.iterdir()) if (found := read_analysis(path))}
    lines = [INTRODUCTION]
    for section in SECTIONS:
        lines += [*section(analyses), ""]
    return "\n".join(lines).rstrip() + "\n"


def _against_late(analyses: dict[str, Analysis]) -> list[Line]:
    """For every method: where it is significantly better or worse than late fusion, and than every floor."""
    boards = {name: analysis for name, analysis in analyses.items() if "+" not in name and _row(analysis, "late")}
    methods = sorted({row.method for a in boards.values() for row in a.rows if row.role == "method"} - {"late"})
    rows = []
    for method in methods:
        better, worse, alike, above = [], [], 0, []
        for name, analysis in boards.items():
            row = _row(analysis, method)
            if row is None or row.rank is None:
                continue
            sign = _sign(analysis, row, _row(analysis, "late"))
            better += [name] if sign > 0 else []
            worse += [name] if sign < 0 else []
            alike += sign == 0
            floors = [floor for floor in analysis.rows if floor.role == "floor"]
            above += [name] if all(_sign(analysis, row, floor) > 0 for floor in floors) else []
        rows.append((len(better) - len(worse), method, better, worse, alike, above))
    table = [
        f"| `{method}` | {_names(better)} | {len(worse)} | {alike} | {_names(above)} |"
        for _, method, better, worse, alike, above in sorted(rows, key=lambda row: (-row[0], row[1]))
    ]
    late_above = [
        name
        for name, analysis in boards.items()
        if all(_sign(analysis, _row(analysis, "late"), floor) > 0 for floor in analysis.rows if floor.role == "floor")
    ]
    few = [name for name, analysis in boards.items() if _methods(analysis) < max(map(_methods, boards.values())) // 2]
    return [
        "## Against late fusion, and against the floors",
        "",
        *([f"Most methods have not run yet on {_names(few)}.", ""] if few else []),
        f"On {len(boards)} datasets. *Better* and *worse*: the interval of the difference to `late` excludes zero.",
        "*Above every floor*: significantly better than each of the linear model, boosted trees, the prior and every",
        f"single modality. `late` itself is above every floor on: {_names(late_above)}.",
        "",
        "| method | better than late on | worse on | no difference on | above every floor on |",
        "| --- | --- | --- | --- | --- |",
        *table,
    ]


def _synergy(analyses: dict[str, Analysis]) -> list[Line]:
    """Shares of the ceiling of a XOR, at two sizes of the train split."""
    sizes = {"10,000": "pid-synergy", "2,000": "pid-synergy+n_train=2000"}
    found = {size: analyses[name] for size, name in sizes.items() if name in analyses}
    if not found:
        return []
    methods = {row.method for analysis in found.values() for row in analysis.rows if row.role != "ceiling"}

    def share(method: str, size: str) -> float:
        row = _row(found[size], method) if size in found else None
        return row.normalised.mean if row and row.normalised else -1.0

    def cell(method: str, size: str) -> str:
        row = _row(found[size], method) if size in found else None
        if row is None or row.normalised is None:
            return "– | –"
        n, auroc = row.normalised, row.scores["auroc"]
        interval = f" [{n.low:.3f}, {n.high:.3f}]" if n.low is not None else ""
        return f"{n.mean:.3f}{interval} | {auroc.mean:.3f}"

    order = sorted(methods, key=lambda m: (-share(m, "10,000"), m))
    head = " | ".join(f"{size} rows | AUROC" for size in sizes)
    return [
        "## A XOR of two modalities (`pid-synergy`)",
        "",
        "Share of the way from chance to the ceiling (accuracy .8335), with 10,000 and with 2,000 rows of train. A",
        "linear score has AUROC ½, and so has whatever fuses decisions.",
        "",
        f"| method | {head} |",
        "| --- | --- | --- | --- | --- |",
        *(f"| `{method}` | {' | '.join(cell(method, size) for size in sizes)} |" for method in order),
    ]


def _sequences(analyses: dict[str, Analysis]) -> list[Line]:
    """Accuracy by seed where what matters lies at other times in each modality."""
    wanted = (
        "oracle",
        "stcnet-style",
        "stcnet-style[scale=0.0]",
        "stcnet-style-local",
        "early-data",
        "early-feature",
        "late",
        "mult",
        "interactive-attention",
        "joint-attention",
        "temporal-attention",
        "hybrid-pooling",
        "hybrid-pooling-static",
        "jenet-style-max",
    )
    prototype = {  # METHODS.md §4.5 of the design, seeds 0 to 2
        "oracle": (".968/.971/.974", ".909/.903/.900"),
        "stcnet-style": (".953/.951/.951", ".271"),
        "stcnet-style[scale=0.0]": (".846", "–"),
        "stcnet-style-local": (".799/.756", ".250/.257"),
        "early-data": (".852/.825", ".888/.876/.876"),
        "late": (".799/.756", ".250/.257"),
    }
    boards = [analyses.get("asynchronous"), analyses.get("lagged")]
    lines = []
    for method in wanted:
        cells = []
        for i, (analysis, name) in enumerate(zip(boards, ("asynchronous", "lagged"), strict=True)):
            row = _row(analysis, method) if analysis else None
            values = [r.scores["accuracy"] for r in _records(name, row)] if row else []
            spread = f" ± {stdev(values):.3f}" if len(values) > 1 else ""
            seeds = " ".join(f"{value:.3f}".lstrip("0") for value in values)
            cells += [f"{fmean(values):.3f}{spread} ({seeds})" if values else "–", prototype.get(method, ("–", "–"))[i]]
        if any(cell != "–" for cell in cells[::2]):
            lines.append(f"| `{method}` | {' | '.join(cells)} |")
    picture = [f"![Validation curves]({CURVES})", ""] if (PAGE.parent / CURVES).exists() else []
    return [
        "## Asynchronous and lagged sequences",
        "",
        "Mean accuracy, its deviation over seeds, and every seed; beside them the prototype that the suite was",
        "designed with (a smaller network, other code, one to three seeds). The ceilings are .971 and .902, chance is",
        "½ and ¼.",
        "",
        "| method | asynchronous | prototype | lagged | prototype |",
        "| --- | --- | --- | --- | --- |",
        *lines,
        "",
        *picture,
    ]


def _published(analyses: dict[str, Analysis]) -> list[Line]:
    """TMC on the split that was published with it."""
    analysis = analyses.get("handwritten")
    row = _row(analysis, "tmc") if analysis else None
    if analysis is None or row is None:
        return []
    e = row.scores["accuracy"]
    return [
        "## TMC on `handwritten`",
        "",
        f"Accuracy {e.mean:.4f} ± {e.deviation or 0:.4f} over {len(row.seeds)} seeds, 95% [{e.low:.4f}, {e.high:.4f}].",
        "Published (Han et al., ICLR 2021): .9851; reruns of the authors' code gave .9790 to .9825. One of the 400",
        "test rows is .0025. The protocol is *near* theirs: the same split, but 320 of its 1,600 training rows are the",
        "validation, features are standardised by the rows that are left, and the encoders are the suite's.",
    ]


def _speed(analyses: dict[str, Analysis]) -> list[Line]:
    """Samples a second in training."""
    if not SPEEDS.exists():
        return []
    measured = json.loads(SPEEDS.read_text())
    problems, methods = measured["problems"], measured["methods"]
    names = list(problems)

    def cell(method: str, problem: str) -> str:
        found = methods[method].get(problem)
        return f"{found['samples_a_second']:,.0f} | {found['times_late']:.2f}" if found else "– | –"

    order = sorted(methods, key=lambda m: (methods[m].get(names[0], {}).get("times_late", 1e9), m))
    return [
        "## Training speed",
        "",
        "Rows of train that a whole fit takes in a second (epochs × rows over its time, validation and all of a",
        "method's trainings included), and that time over late fusion's, in pairs of one run; medians of",
        f"{measured['rounds']} pairs. {measured['machine']}",
        "Where that load is above 0.5, something else had just run: a rough guide. The boards' samples/s are of",
        "inference alone, timed on a machine that did nothing else.",
        "",
        *(f"- **{name}**: {words}" for name, words in problems.items()),
        "",
        f"| method | {' | '.join(f'{name}: samples/s | × late' for name in names)} |",
        f"| --- | {' | '.join(['--- | ---'] * len(names))} |",
        *(f"| `{method}` | {' | '.join(cell(method, name) for name in names)} |" for method in order),
    ]


def _methods(analysis: Analysis) -> int:
    """How many rows are of methods."""
    return sum(row.role == "method" for row in analysis.rows)


def _row(analysis: Analysis, method: str) -> RowAnalysis | None:
    return next((row for row in analysis.rows if row.method == method), None)


def _sign(analysis: Analysis, one: RowAnalysis | None, other: RowAnalysis | None) -> int:
    """1 where one is significantly better than the other, -1 where it is worse."""
    if one is None or other is None:
        return 0
    pair = {one.id, other.id}
    found = next((d.seen_from(one.id) for d in analysis.comparisons if {d.first, d.second} == pair), None)
    return 0 if found is None else found.sign * (1 if analysis.higher_is_better else -1)


def _records(dataset: str, row: RowAnalysis) -> Iterable[Result]:
    keys = set(row.keys)
    found = [store.read(path) for path in store.records(RESULTS / dataset)]
    return sorted((r for r in found if r.key in keys), key=lambda r: r.identity.seed)


def _names(names: Sequence[str]) -> str:
    return ", ".join(names) or "–"


SECTIONS: tuple[Callable[[dict[str, Analysis]], list[Line]], ...] = (
    _against_late,
    _synergy,
    _sequences,
    _published,
    _speed,
)

if __name__ == "__main__":
    PAGE.write_text(page())
