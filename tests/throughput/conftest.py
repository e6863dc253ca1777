"""What the tests of throughput share: clocks that are set by hand, records, and the drill's plugin."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mmbench.results.provenance import libraries
from mmbench.results.schema import Provenance
from mmbench.results.throughput import DeviceSetting, Throughput, ThroughputIdentity, ThroughputPhase, ThroughputRow

DRILL = Path(__file__).parents[1] / "sweep" / "drill"


class SetClock:
    """Takes each step, and says that it took what is next in a list; the last is repeated."""

    def __init__(self, seconds):
        self.seconds, self.taken = list(seconds), 0

    def times(self, step, count):
        found = []
        for _ in range(count):
            step()
            found.append(self.seconds[min(self.taken, len(self.seconds) - 1)])
            self.taken += 1
        return np.array(found)


@pytest.fixture
def set_clock() -> type[SetClock]:
    """``set_clock(seconds)``: a clock whose steps take those seconds."""
    return SetClock


@pytest.fixture
def make_record() -> Callable[..., Throughput]:
    """``make_record("late", device="cpu", …)``: a record with one row a phase."""

    def make(method="late", dataset="tiny", device="cpu", name="a processor", busy=False, **changes):
        setting = DeviceSetting(device=device, name=name, torch="2.9", **changes)
        identity = ThroughputIdentity(
            method=method,
            method_source="a",
            core_source="b",
            dataset=dataset,
            dataset_version="1",
            data="c",
            setting=setting,
            steps=50,
            seconds=1.0,
        )
        row = ThroughputRow(
            batch=1,
            largest=True,
            steps=50,
            warm_up=20,
            stable=True,
            median_ms=2.0,
            p5_ms=1.5,
            p95_ms=3.0,
            p99_ms=4.0,
            samples_per_second=500.0,
        )
        phase = ThroughputPhase(rows=(row,), limit="the train split has 1 rows")
        provenance = Provenance(created="now", mmbench="0", plugin="", libraries=libraries(), hardware={})
        return Throughput(identity=identity, kind="model", train=phase, predict=phase, busy=busy, provenance=provenance)

    return make


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """With the drill's plugin installed."""
    site = tmp_path_factory.mktemp("site")
    info = site / "drill-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: drill\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mmbench]\ndrill = mmbench_drill\n")
    path = [str(site), str(DRILL), *os.environ.get("PYTHONPATH", "").split()]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path), "MMBENCH_CACHE": str(tmp_path_factory.mktemp("cache"))}


@pytest.fixture(scope="session")
def run_in(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``run_in(folder, WORDS…)``: ``mmbench`` there."""

    def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mmbench", *words]
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
        )

    return run
