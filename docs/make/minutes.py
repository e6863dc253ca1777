"""What a neural method costs on each dataset, from the records of the committed leaderboards."""

import json
from collections import defaultdict
from pathlib import Path
from statistics import fmean, median

RECORDS = Path(__file__).parents[2] / "leaderboards" / "results" / "standard"
SEEDS = 5


def minutes(dataset: str) -> float | None:
    """Core-minutes for all seeds of one method: the median over the neural methods; None if none has run.

    A record states the wall time of training and predicting on one thread. Some methods have fewer seeds.
    """
    each: dict[str, list[float]] = defaultdict(list)
    for path in RECORDS.glob(f"{dataset}/*/seed*.json"):
        record = json.loads(path.read_text())
        if record["role"] == "method" and record["cost"]["epochs"]:
            each[path.parent.name].append(record["cost"]["fit_seconds"] + record["cost"]["predict_seconds"])
    return round(SEEDS * median(map(fmean, each.values())) / 60, 2) if each else None


if __name__ == "__main__":
    from mmbench.registry import installed

    print("MINUTES = {")
    for card in installed().datasets.values():
        if card.collections:
            print(f'    "{card.name}": {minutes(card.name)},')
    print("}")
