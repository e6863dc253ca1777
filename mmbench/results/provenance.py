"""Where a result comes from: hashes of source, versions, hardware, the state of git."""

import importlib.util
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from mmbench.core.cards import DatasetCard, MeasureCard, MethodCard, TermCard
from mmbench.core.errors import MmbenchError
from mmbench.results.alike import published_as

if TYPE_CHECKING:  # `mmbench data list` needs hashes, and no pydantic
    from mmbench.results.schema import Plain

PACKAGE = Path(__file__).parents[1]
# What a score depends on.
SCORING = (
    "core",
    "nn",
    "train",
    "measures/evaluation.py",
    "measures/task.py",
    "data/columns.py",
    "data/splits.py",
    "data/standardised.py",
    "sweep/cell.py",
    "sweep/scoring.py",
)
# What a measure of the fitted method depends on besides its own folder.
MEASURING = ("measures/coalitions.py",)
CARD = "card.py"  # titles and ranges; parameters stand in the measure's spec
MEASURED_AS = 1  # raised when `mmbench.sweep.subject` gives measures other rows, draws or answers than before
LIBRARIES = ("torch", "numpy", "scikit-learn", "scipy", "datasets", "pyarrow", "pluggy")


@cache
def core_source() -> str:
    """Which source of mmbench's own computes scores (encoders, trainer, measures, splits): its hash, or that of
    an older one which scores alike."""
    return published_as(scoring_files_source())


def scoring_files_source() -> str:
    """Hash of the files that compute scores, as they are."""
    return _hash(PACKAGE, [PACKAGE / part for part in SCORING])


@cache
def plugin_source(build: str) -> str:
    """Hash of all Python source of the package that ``"package.module:callable"`` is in.

    Raises:
        MmbenchError: if there is no such package.
    """
    top = build.partition(":")[0].partition(".")[0]
    spec = importlib.util.find_spec(top)
    if spec is None or spec.origin is None:
        raise MmbenchError(f"{build}: there is no package {top!r}; is its plugin installed?")
    origin = Path(spec.origin)
    return _hash(origin.parent, [origin.parent if spec.submodule_search_locations else origin])


def method_source(method: MethodCard, terms: Sequence[TermCard], dataset: DatasetCard | None) -> str:
    """Hash of all plugins' source that a score of this method depends on."""
    # of the terms, those of mmbench itself are in the hash of the core already
    builds = [method.build, *sorted(term.build for term in terms if not term.build.startswith("mmbench.nn."))]
    sources = [plugin_source(build) for build in builds]
    if dataset is not None and "posterior" in method.needs and dataset.posterior:
        sources.append(folder_source(dataset.posterior.partition(":")[0]))
    return sources[0] if len(sources) == 1 else sha256(" ".join(sources).encode()).hexdigest()[:32]


def measure_source(measure: MeasureCard) -> str:
    """Hash of the source that a measure's numbers depend on: that of its plugin; of mmbench's own, the folder of
    the measure without its card, and what several share."""
    module = measure.build.partition(":")[0]
    if not module.startswith("mmbench."):
        own = plugin_source(measure.build)
    else:
        folder = PACKAGE.joinpath(*module.split(".")[1:]).parent
        files = [file for file in sorted(folder.rglob("*.py")) if file.name != CARD]
        own = _hash(PACKAGE, [*files, *(PACKAGE / part for part in MEASURING)])
    return sha256(f"{own} {MEASURED_AS}".encode()).hexdigest()[:32]


def folder_source(module: str) -> str:
    """Hash of the source of a module and its neighbours in the package: enough for a dataset's
    builder, since the data themselves have a fingerprint."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise MmbenchError(f"there is no module {module!r}; is its plugin installed?")
    origin = Path(spec.origin)
    return _hash(origin.parent, sorted(origin.parent.glob("*.py")) if spec.parent else [origin])


def _hash(root: Path, parts: list[Path]) -> str:
    digest = sha256()
    for part in parts:
        for file in sorted(part.rglob("*.py")) if part.is_dir() else [part]:
            content = sha256(file.read_bytes()).hexdigest()
            digest.update(f"{file.relative_to(root).as_posix()} {content}\n".encode())
    return digest.hexdigest()[:32]


def now() -> str:
    """UTC, to the second, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@cache
def libraries() -> dict[str, str]:
    """Versions of Python and of what scores depend on."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # scipy or pyarrow may one day not come along; then there is no version to state
    return found


@cache
def hardware() -> "dict[str, Plain]":
    """The machine, in words."""
    return {"machine": platform.machine(), "system": platform.system(), "cpu": _cpu(), "cores": os.cpu_count()}


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


@cache
def git_state() -> tuple[str, bool | None]:
    """Commit of the checkout that mmbench runs from, and whether it has changes; empty outside of one."""
    if not (PACKAGE.parent / ".git").exists():
        return "", None
    commit = _git("rev-parse", "HEAD")
    changes = _git("status", "--porcelain", "--", "mmbench", "plugins")
    return commit, bool(changes) if commit else None


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=PACKAGE, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
