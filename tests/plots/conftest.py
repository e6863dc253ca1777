"""Synthetic results with measurements and throughput, as sweeps would have left them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mmbench.boards.board import load_boards
from mmbench.core.spec import parse_spec
from mmbench.plots.material import Material, Picture
from mmbench.plots.paper import style
from mmbench.plots.plot import DRAW
from mmbench.results import measurements, store
from mmbench.results.measurements import Measurement
from mmbench.results.schema import Identity, ModalityRecord, Outcome, Provenance, Result, TaskRecord
from mmbench.results.throughput import (
    DeviceSetting,
    Throughput,
    ThroughputIdentity,
    ThroughputPhase,
    ThroughputRow,
    write_throughput,
)

NEW = "2026-01-01T00:00:00+00:00"
CPU = DeviceSetting(device="cpu", name="A", torch="2")
PROVENANCE = Provenance(created=NEW, mmbench="0", plugin="p", libraries={}, hardware={})
Tables = Mapping[str, Mapping[str, list[Any]]]


@dataclass
class Results:
    """Results of one dataset under one protocol, below ``out``."""

    out: Path
    modalities: tuple[str, ...] = ("image", "audio")
    metric: str = "accuracy"
    higher: bool = True
    dataset: str = "toy"
    chance: float | None = 0.25
    ceiling: float | None = None
    kind: str = "classification"

    def add(
        self,
        method: str,
        score: float,
        seed: int = 0,
        *,
        role: str = "method",
        measures: Mapping[str, Tables] | None = None,
        scores: Mapping[str, float] | None = None,
        notes: Mapping[str, Any] | None = None,
        reason: str = "",
        **more: Any,
    ) -> Path:
        """One cell, and what was measured of it: {measure: {table: columns}}."""
        spec = parse_spec(method)
        identity = Identity(
            method=spec.name, parameters=dict(spec.parameters), method_source="m", core_source="c",
            dataset=self.dataset, dataset_version="1", data="d", protocol="standard", protocol_version=1, seed=seed,
            **more,
        )  # fmt: skip
        result = Result(
            key=identity.key,
            identity=identity,
            outcome=Outcome(),
            role=role,
            task=TaskRecord(
                kind=self.kind,
                outputs=4,
                metric=self.metric,
                higher_is_better=self.higher,
                modalities=tuple(ModalityRecord(name=name, kind="vector", shape=(3,)) for name in self.modalities),
                sizes={"train": 9, "validation": 9, "test": 9},
            ),
            scores={self.metric: score},
            chance=self.chance,
            ceiling=self.ceiling,
            provenance=PROVENANCE,
        )
        path = store.write(store.Place(self.out, "standard", parse_spec(self.dataset), spec, seed), result)
        common = {"source": "s", "score": score, "created": NEW, "notes": {"rows": 500, **(notes or {})}}
        found = {
            name: Measurement(
                **common,
                scores=dict(scores or {}),
                tables={} if reason else tables,
                reason=reason,  # type: ignore[arg-type]
            )
            for name, tables in (measures or {}).items()
        }
        if found:
            measurements.enter(path, result.key, found)
        return path

    def time(self, method: str, speeds: Mapping[int, float], setting: DeviceSetting = CPU, **more: Any) -> None:
        """Throughput at inference, by batch size."""
        spec = parse_spec(method)
        rows = tuple(
            ThroughputRow(
                batch=batch, steps=50, warm_up=10, stable=True, median_ms=1, p5_ms=1, p95_ms=1, p99_ms=1,
                samples_per_second=speed,
            )
            for batch, speed in speeds.items()
        )  # fmt: skip
        identity = ThroughputIdentity(
            method=spec.name, parameters=dict(spec.parameters), method_source="m", core_source="c",
            dataset=self.dataset, dataset_version="1", data="d", setting=setting, steps=50, seconds=1,
        )  # fmt: skip
        phase = ThroughputPhase(rows=rows)
        write_throughput(self.out, Throughput(identity=identity, predict=phase, provenance=PROVENANCE, **more))

    def material(self, *wanted: str) -> Material:
        """Of the only board."""
        (board,) = load_boards([self.out])
        return Material(board, wanted)

    def draw(self, kind: str, *wanted: str) -> list[Picture]:
        return DRAW[kind](self.material(*wanted))


@pytest.fixture
def results(tmp_path: Path) -> Callable[..., Results]:
    """``results(**options)``: an empty folder of results of one dataset."""
    return lambda **options: Results(**{"out": tmp_path / "results", **options})


@pytest.fixture(autouse=True)
def one_style() -> Iterator[None]:
    """Figures are made as ``plot`` makes them."""
    with style():
        yield


def robustness_table(clean: float, curves: Mapping[tuple[str, str], Mapping[float, float | None]]) -> Tables:
    """Of the measure ``robustness``."""
    rows = [("none", "", 0.0, clean)]
    rows += [(*key, level, value) for key, points in curves.items() for level, value in points.items()]  # type: ignore[misc]
    columns = zip(*rows, strict=True)
    return {"curves": dict(zip(("corruption", "modality", "level", "value"), map(list, columns), strict=True))}


def subsets_table(values: Mapping[str, float]) -> Tables:
    """Of the measure ``missing``."""
    return {"subsets": {"modalities": list(values), "value": list(values.values())}}


def shapley_table(values: Mapping[str, float]) -> Tables:
    """Of the measure ``contribution``."""
    return {"shapley": {"modality": list(values), "value": list(values.values())}}


def reliability_table(counts: list[int], confidence: list[float | None], accuracy: list[float | None]) -> Tables:
    """Of the measure ``calibration``, in bins of equal width."""
    edges = [place / len(counts) for place in range(len(counts) + 1)]
    columns = {"low": edges[:-1], "high": edges[1:], "count": counts, "confidence": confidence, "accuracy": accuracy}
    return {"reliability": columns}


def pairs_table(scores: Mapping[tuple[str, str], float]) -> Tables:
    """Of the measure ``matching``."""
    firsts, seconds = ([pair[side] for pair in scores] for side in (0, 1))
    return {"pairs": {"first": firsts, "second": seconds, "matching_mm": list(scores.values())}}


@pytest.fixture
def tables() -> Mapping[str, Callable[..., Tables]]:
    """What each measure's table looks like, by the measure's name."""
    return {
        "robustness": robustness_table,
        "missing": subsets_table,
        "contribution": shapley_table,
        "calibration": reliability_table,
        "matching": pairs_table,
    }


@pytest.fixture
def line() -> Callable[..., list[tuple[float, float]]]:
    """``line(panel, label)``: the points of the only line of that label."""

    def read(panel: Any, label: str) -> list[tuple[float, float]]:
        points = [bars.lines[0] for bars in panel.containers if bars.get_label() == label and hasattr(bars, "lines")]
        (found,) = points or [one for one in panel.lines if one.get_label() == label]
        return [(round(float(x), 6), round(float(y), 6)) for x, y in found.get_xydata()]

    return read
