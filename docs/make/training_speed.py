"""What ``tests/benchmarks/bench_methods.py`` has measured, kept: ``python training_speed.py BENCH.json``.

The numbers are kept in ``leaderboards/training-speed.json``, which ``docs/findings.md`` is made from.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

KEPT = Path(__file__).parents[2] / "leaderboards" / "training-speed.json"


def main(bench: Path) -> None:
    run = json.loads(bench.read_text())
    problems: dict[str, str] = {}
    methods: dict[str, dict[str, Any]] = defaultdict(dict)
    rounds = 0
    for benchmark in run["benchmarks"]:
        for record in benchmark["extra_info"].get("records", []):
            problems[record["problem"]] = record["modalities"]
            rounds = record["count"]
            methods[record["method"]][record["problem"]] = {
                "samples_a_second": round(1 / median(record["times"]["ours"]), 1),
                "times_late": round(record["median"], 3),
            }
    machine, commit = run["machine_info"], run["commit_info"]
    load = machine["load_at_start"][0]
    words = (
        f"{machine['cpu'].get('brand_raw', machine['processor'])}, {machine['threads']} thread, torch "
        f"{machine['torch']}; {run['datetime'][:10]}, commit {commit['id'][:12]}, load at the start {load:.2f}."
    )
    kept = {"machine": words, "rounds": rounds, "problems": problems, "methods": methods}
    KEPT.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
