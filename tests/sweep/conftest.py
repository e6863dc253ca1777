"""The drill: a plugin installed for the tests alone, and ``mmbench`` run as users run it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

DRILL = Path(__file__).parent / "drill"


def install(folder: Path, name: str, module: str) -> None:
    """What pip leaves of a distribution, as far as entry points go."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[mmbench]\n{name} = {module}\n")


@pytest.fixture(scope="session")
def drill_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment in which the drill's plugin is installed, with a cache of its own."""
    site = tmp_path_factory.mktemp("site")
    install(site, "drill", "mmbench_drill")
    install(site, "unimportable", "mmbench_drill_is_not_here")
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(site), str(DRILL)]),
        "MMBENCH_CACHE": str(tmp_path_factory.mktemp("cache")),
        "PYTHONUNBUFFERED": "1",
    }


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def mmbench(drill_environment: dict[str, str], tmp_path: Path) -> Run:
    """``mmbench WORDS…`` in an empty folder, whose ``results`` are then in ``tmp_path``."""

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mmbench", *words],
            cwd=tmp_path,
            env={**drill_environment, **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture
def start(drill_environment: dict[str, str], tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """The same, but not waited for."""

    def begin(*words: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "mmbench", *words],
            cwd=tmp_path,
            env={**drill_environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    return begin
