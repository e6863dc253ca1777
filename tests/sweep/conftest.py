"""The drill: a plugin installed for the tests alone, and ``mmbench`` run as users run it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
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
        "PYTHONPATH": os.pathsep.join([str(site), str(DRILL), *os.environ.get("PYTHONPATH", "").split()]),
        "MMBENCH_CACHE": str(tmp_path_factory.mktemp("cache")),
        "PYTHONUNBUFFERED": "1",
    }


Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]


def run_in(folder: Path, environment: dict[str, str]) -> Run:
    """``run(WORDS…, NAME=value…)`` of ``mmbench`` in a folder, with the drill's notes beside the results."""

    def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        (folder / "notes").mkdir(exist_ok=True)
        return subprocess.run(
            [sys.executable, "-m", "mmbench", *words],
            cwd=folder,
            env={**environment, "DRILL_NOTES": str(folder / "notes"), **variables},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def mmbench_in(drill_environment: dict[str, str]) -> Callable[[Path], Run]:
    """``mmbench_in(folder)``: ``mmbench`` run there."""
    return lambda folder: run_in(folder, drill_environment)


@pytest.fixture
def mmbench(drill_environment: dict[str, str], tmp_path: Path) -> Run:
    """``mmbench WORDS…`` in an empty folder, whose ``results`` are then in ``tmp_path``."""
    return run_in(tmp_path, drill_environment)


@pytest.fixture
def start(drill_environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """The same, but not waited for; ``DRILL_MARK`` tells its processes from those of other tests."""
    started = []

    def begin(*words: str, limit: int | None = None, **variables: str) -> subprocess.Popen[str]:
        (tmp_path / "notes").mkdir(exist_ok=True)
        command = [sys.executable, "-m", "mmbench", *words]
        if limit is not None:
            command = ["bash", "-c", f'ulimit -f {limit}; exec "$@"', "-", *command]
        variables = {"DRILL_NOTES": str(tmp_path / "notes"), "DRILL_MARK": str(tmp_path), **variables}
        started.append(
            subprocess.Popen(
                command,
                cwd=tmp_path,
                env={**drill_environment, **variables},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        )
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def all_records(folder: Path) -> dict[str, list[dict]]:
    """All records below a folder by method, of whatever dataset, in the order of their seeds."""
    found: dict[str, list[dict]] = {}
    for path in sorted(folder.glob("**/seed*.json")):
        record = json.loads(path.read_text())
        found.setdefault(record["identity"]["method"], []).append(record)
    return found


@pytest.fixture
def records(tmp_path: Path) -> Callable[..., dict[str, list[dict]]]:
    """``records(out="results")``: {method: its records}."""
    return lambda out="results": all_records(tmp_path / out)


@pytest.fixture
def outcomes(tmp_path: Path) -> Callable[[str], list[tuple[str, str, int]]]:
    """``outcomes(method)``: status, message and attempts of its seeds."""

    def read(method: str, out: str = "results") -> list[tuple[str, str, int]]:
        found = [record["outcome"] for record in all_records(tmp_path / out)[method]]
        return [(outcome["status"], outcome["message"], outcome["attempts"]) for outcome in found]

    return read


@pytest.fixture
def noted(tmp_path: Path) -> Callable[[str], list[int]]:
    """``noted(name)``: pids that the drill has noted."""

    def read(name: str) -> list[int]:
        path = tmp_path / "notes" / name
        return [int(word) for word in path.read_text().split()] if path.exists() else []

    return read


@pytest.fixture
def family(tmp_path: Path) -> Callable[[], list[int]]:
    """``family()``: processes that descend from what ``start`` has started in this test."""
    mark = f"DRILL_MARK={tmp_path}".encode()

    def look() -> list[int]:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "environ").read_bytes():
                    found.append(int(process.name))
            except OSError:
                continue
        return found

    return look


def wait_until(reached: Callable[[], object], what: str, seconds: float = 120) -> None:
    """Until something holds; a machine that is busy may take long."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.02)


@pytest.fixture
def until() -> Callable[..., None]:
    return wait_until
