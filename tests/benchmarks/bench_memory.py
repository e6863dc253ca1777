"""The memory of a worker over the size of its data."""

import subprocess
import sys
import time
from math import prod
from pathlib import Path

import pytest
from pairs import figure, keep

from conftest import HERE

ROWS, FEW = 20_000, 40
MEGABYTE = 2**20
KINDS = {"VmHWM": "all memory, shared too", "RssAnon": "private memory"}
INTERVAL = 0.01  # seconds between looks; the peak of all memory is counted by the system


def memory(process, names):
    """{name: bytes} from /proc/<process>/status; empty if it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return {}
    found = {line.partition(":")[0]: line.split() for line in lines}
    return {name: int(found[name][1]) * 1024 for name in names if name in found}


def peaks(words, environment, folder):
    """The largest VmHWM and RssAnon of the process that trains."""
    told, said = folder / "told", folder / "said"
    told.mkdir(parents=True)
    largest = dict.fromkeys(KINDS, 0)
    with said.open("w") as file:
        command = [sys.executable, "-m", "mmbench", *words]
        environment = {**environment, "BENCH_TOLD": str(told)}
        run = subprocess.Popen(command, env=environment, cwd=folder, stdout=file, stderr=subprocess.STDOUT)
        while run.poll() is None:
            for process in told.iterdir():
                for name, value in memory(process.name, KINDS).items():
                    largest[name] = max(largest[name], value)
            time.sleep(INTERVAL)
    assert run.returncode == 0, said.read_text()
    assert all(largest.values()), "nobody looked in time"
    return largest


@pytest.mark.skipif(sys.platform != "linux", reason="it is Linux that tells the memory of processes")
def test_peak_of_a_worker(benchmark, plugin_environment, tmp_path, monkeypatch):
    """Above what the same model takes on hardly any data: libraries, parameters, optimiser."""
    monkeypatch.syspath_prepend(HERE / "plugin")
    from mmbench_bench import WIDE

    data = (ROWS + 2 * (ROWS // 40 + 20)) * sum(prod(modality.shape) for modality in WIDE.modalities) * 4
    found = {}

    def sweep(name, dataset):
        words = ["run", "-j", "1", "-d", dataset, "-m", "late-told", "--seeds", "1"]
        found[name] = peaks(words, plugin_environment, tmp_path / name)

    def both():
        sweep("few", f"wide[rows={FEW}]")
        sweep("many", "wide")

    benchmark.pedantic(both, rounds=1)
    for kind, meaning in KINDS.items():
        few, many = found["few"][kind], found["many"][kind]
        ratio = f"{data / MEGABYTE:.0f} MB of data: peak above that with hardly any data, over their size; {meaning}"
        aim = {"aim": 1.3, "goal": 12} if kind == "VmHWM" else {}
        keep(
            benchmark,
            figure("Memory of a worker", ratio, [(many - few) / data], "×", "<=", **aim),
            figure("Memory of a worker", f"hardly any data: peak; {meaning}", [few / MEGABYTE], "MB"),
        )
