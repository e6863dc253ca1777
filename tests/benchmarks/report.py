"""From the JSON of pytest-benchmark to a page: ``python report.py RESULTS.json… PAGE.md``.

Of several files each stands in the head with its commit: not all benchmarks have to run in one go.
"""

import json
import sys
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

Record = dict[str, Any]
GOALS = {
    1: "The trainer is faster than a MultiBench-like loop, with the same accuracy",
    2: "The harness costs little above a bare tuned loop",
    3: "A step costs little above forward and backward alone",
    4: "Seeds at once take less time than one after another, for MLPs",
    5: "Seeds at once give what one after another gives",
    6: "Two workers on two cores",
    7: "Tiny cells against a fresh interpreter for each",
    8: "Robustness: encoders' outputs are kept",
    9: "Looking around starts quickly",
    10: "End to end against MultiBench's way",
    11: "A cell costs little besides its method, and the thousandth no more than the tenth",
    12: "A worker's memory follows the size of the data",
    13: "A sweep that is done returns at once",
    14: "A dataset of a gigabyte is made once, opened at once, and held as bytes",
}


def main(results: list[Path], page: Path) -> None:
    runs = [json.loads(path.read_text()) for path in results]
    records = [record for run in runs for record in records_of(run)]
    page.parent.mkdir(exist_ok=True)
    page.write_text("\n".join([*head(runs), *goals(records), *families(records)]) + "\n")


def records_of(run: Record) -> list[Record]:
    """What the benchmarks of one file have measured."""
    return [record for each in run["benchmarks"] for record in each["extra_info"].get("records", [])]


def occasion(run: Record) -> list[str]:
    """When a file was made, of which commit, on how busy a machine."""
    commit = run["commit_info"]
    changed = ", with changes that are not committed" if commit.get("dirty") else ""
    load = ", ".join(f"{x:.2f}" for x in run["machine_info"]["load_at_start"])
    goals = ", ".join(map(str, sorted({record["goal"] for record in records_of(run)} - {0})))
    date = run["datetime"][:16].replace("T", " ")
    return [
        f"| goals {goals} | {date} UTC, commit {commit.get('id', 'unknown')[:12]}{changed}; load at the start {load} |"
    ]


def head(runs: list[Record]) -> list[str]:
    """What was measured, when, where, and how to read it."""
    machine = runs[0]["machine_info"]
    processor = machine.get("cpu", {}).get("brand_raw") or machine.get("processor") or "unknown"
    graphics = machine["gpu"] or "none: what needs one was left out"
    reduced = next((run["machine_info"]["reduced_to"] for run in runs if run["machine_info"]["reduced_to"]), "")
    warning = ["", f"**Not a measurement: reduced to {reduced} rounds, to see whether all works.**"] if reduced else []
    return [
        "# Speed",
        "",
        "Written by `make bench`; not by hand.",
        *warning,
        "",
        "| | |",
        "| --- | --- |",
        *(line for run in runs for line in occasion(run)),
        f"| processor | {processor}, {machine['cores']} cores |",
        f"| threads | {machine['threads']} for each process, unless said |",
        f"| GPU | {graphics} |",
        f"| software | torch {machine['torch']}, Python {machine['python_version']}, {machine['system']} |",
        "",
        "What is compared was timed in turn, pair after pair, in the same run. A figure is the median over the pairs,",
        "with the least and the largest in brackets. *a / b* is the time of a over the time of b. Goals are judged by",
        "the median. Times of trainings are those of a step with its share of all else, validation included.",
        "Load: averages over 1, 5 and 15 minutes.",
        "",
    ]


def goals(records: list[Record]) -> list[str]:
    """Every figure that has an aim."""
    lines = ["## Goals", "", "| # | what | measured | aim | |", "| --- | --- | --- | --- | --- |"]
    for number, title in GOALS.items():
        aimed = [record for record in records if record["goal"] == number and record["aim"] is not None]
        lines.append(f"| {number} | **{title}** | | | {'' if aimed else 'not measured'} |")
        lines += [f"| | {r['what']} | {value(r)} | {aim(r)} | {'met' if r['met'] else '**not met**'} |" for r in aimed]
    return [*lines, ""]


def families(records: list[Record]) -> list[str]:
    """Every figure, by what it is about, with the medians of the times."""
    lines: list[str] = []
    order = list(dict.fromkeys(record["family"] for record in records))
    for family, some in groupby(sorted(records, key=lambda r: order.index(r["family"])), key=lambda r: r["family"]):
        mine = list(some)
        timed = any("times" in record for record in mine)
        lines += [f"## {family}", ""]
        lines.append(f"| | measured | pairs |{' mmbench | the other |' if timed else ''}")
        lines.append(f"| --- | --- | --- |{' --- | --- |' if timed else ''}")
        for record in mine:
            times = durations(record["times"]) if timed else []
            lines.append(f"| {' | '.join([record['what'], value(record), str(record['count']), *times])} |")
        lines.append("")
    return lines[:-1]


def value(record: Record) -> str:
    """``1.94 × [1.27–2.21]``."""
    middle, least, most = (number(record[name]) for name in ("median", "min", "max"))
    unit = f" {record['unit']}" if record["unit"] else ""
    return f"{middle}{unit}" if record["count"] == 1 else f"{middle}{unit} [{least} to {most}]"


def aim(record: Record) -> str:
    sign = {">=": "≥", "<=": "≤"}[record["sense"]]
    return f"{sign} {number(record['aim'])} {record['unit']}".strip()


def durations(times: Record) -> list[str]:
    """The medians of both, of a step where the work was steps."""
    each = f" a {times['each']}" if times["each"] else ""
    return [duration(median(times[who])) + each for who in ("ours", "theirs")]


def number(x: float) -> str:
    """Three digits."""
    if x == 0 or 1e-3 <= abs(x) < 1e6:
        digits = 0 if abs(x) >= 100 else 1 if abs(x) >= 10 else 2
        return f"{x:,.{digits}f}".replace("-", "−")
    return f"{x:.1e}".replace("-", "−")


def duration(seconds: float) -> str:
    """In a unit in which it is no long number."""
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if seconds * factor >= 1:
            return f"{number(seconds * factor)} {unit}"
    return f"{number(seconds * 1e6)} µs"


if __name__ == "__main__":
    main([Path(path) for path in sys.argv[1:-1]], Path(sys.argv[-1]))
