"""Tables of throughput: one a device setting, dataset and phase, by method. Nothing is ranked."""

from collections.abc import Iterable, Sequence
from typing import Literal

from mmbench.results.throughput import BATCHES, Throughput, ThroughputPhase, ThroughputRow, by_device

PHASES: tuple[tuple[Literal["train", "predict"], str], ...] = (("train", "training"), ("predict", "inference"))
NOTHING = "–"


def tables_text(records: Iterable[Throughput]) -> str:
    """All tables, below the device and the dataset that they are of."""
    parts = []
    for setting, datasets in by_device(records).items():
        for dataset, found in datasets.items():
            busy = " (on a busy machine)" if any(record.busy for record in found) else ""
            parts.append(f"{dataset} on {setting}{busy}")
            parts += [_table(name, [(record, _phase(record, phase)) for record in found]) for phase, name in PHASES]
    return "\n\n".join(parts)


def _phase(record: Throughput, phase: Literal["train", "predict"]) -> ThroughputPhase:
    return record.train if phase == "train" else record.predict


def _table(name: str, found: Sequence[tuple[Throughput, ThroughputPhase]]) -> str:
    from tabulate import tabulate

    heads = [name, *(f"batch {batch}" for batch in BATCHES), "largest batch", "p95 of batch 1", "of the peak"]
    lines = [(str(record.identity.method_spec), *_cells(record, phase)) for record, phase in found]
    return tabulate(lines, heads, disable_numparse=True, colalign=("left", *["right"] * (len(heads) - 1)))


def _cells(record: Throughput, phase: ThroughputPhase) -> list[str]:
    if not phase.rows:
        return ["n/a" if record.ok else record.outcome.status, *[NOTHING] * 5]
    first, largest = phase.at(1), phase.largest
    return [
        *(_speed(phase.at(batch)) for batch in BATCHES),
        f"{_speed(largest)} ({largest.batch})" if largest else NOTHING,
        f"{first.p95_ms:.3g} ms" if first else NOTHING,
        _share(phase),
    ]


def _speed(row: ThroughputRow | None) -> str:
    """Samples a second."""
    if row is None:
        return NOTHING
    return f"{row.samples_per_second:,.0f}/s" if row.samples_per_second >= 100 else f"{row.samples_per_second:.3g}/s"


def _share(phase: ThroughputPhase) -> str:
    """Of the largest batch; a lower bound where operations are not counted."""
    row = phase.largest
    if row is None or row.share_of_peak is None:
        return NOTHING
    share = 100 * row.share_of_peak
    return f"{'≥ ' if phase.uncounted else ''}{share:.{0 if share >= 10 else 1}f} %"
