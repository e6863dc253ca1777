"""What all benchmarks share: the machine's state, a plugin that is installed for them alone, and ``mmbench`` as users
run it. Files are named ``bench_*.py``, so that ``make test`` leaves them alone; ``make bench`` runs them."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # benchmarks import the shared files beside them

LOAD = os.getloadavg()
Run = Callable[..., subprocess.CompletedProcess[str]]


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """What the report says of the machine besides what pytest-benchmark finds out."""
    from pairs import REDUCED

    machine_info["cores"] = os.cpu_count()
    machine_info["threads"] = torch.get_num_threads()
    machine_info["torch"] = torch.__version__
    machine_info["gpu"] = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    machine_info["load_at_start"] = LOAD
    machine_info["reduced_to"] = os.environ.get(REDUCED, "")


@pytest.fixture(scope="session")
def plugin_environment(tmp_path_factory: pytest.TempPathFactory, own_cache: Path) -> dict[str, str]:
    """Environment in which the benchmarks' plugin is installed, with the session's cache."""
    site = tmp_path_factory.mktemp("site")
    info = site / "bench-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bench\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mmbench]\nbench = mmbench_bench\n")
    path = os.pathsep.join([str(site), str(HERE / "plugin")])
    return {**os.environ, "PYTHONPATH": path, "MMBENCH_CACHE": str(own_cache)}


@pytest.fixture
def mmbench(plugin_environment: dict[str, str], tmp_path: Path) -> Run:
    """``mmbench WORDS…`` in an empty folder; a benchmark of what fails would be worth nothing."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command, environment = [sys.executable, "-m", "mmbench", *words], plugin_environment
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done

    return run
