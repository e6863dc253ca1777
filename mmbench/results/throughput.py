"""The record of one method's throughput: method x dataset x device setting. One JSON file, validated both ways.

Layout: ``<out>/throughput/<setting>/<dataset>/<method>.json``. There is one record in a place: what is measured
anew, or by other source, takes the place of the old one.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from mmbench.core.errors import MmbenchError
from mmbench.core.spec import Spec
from mmbench.results import store
from mmbench.results.schema import Outcome, Plain, Provenance, Record

FOLDER = "throughput"
BATCHES = (1, 32, 256)  # rows of a step; besides them, the largest that fits
DEFINITION = 1  # raised when the figures of the two would not be comparable


class DeviceSetting(Record):
    """Where and how precisely it was computed. Figures of two settings are never ranked together.

    Attributes:
        device: ``cpu`` or ``cuda``.
        name: of the processor or the accelerator, as it states it.
        dtype, threads, compiled: see ``Arithmetic``.
        torch: its version.
    """

    device: str
    name: str
    dtype: str = "float32"
    threads: int = 1
    compiled: bool = False
    torch: str

    @property
    def slug(self) -> str:
        """As a folder's name; distinct settings have distinct slugs."""
        stated = {"dtype": self.dtype, "threads": self.threads, "torch": self.torch}
        compiled = {"compiled": True} if self.compiled else {}
        return Spec.of(self.name or self.device, {**stated, **compiled}).slug

    def __str__(self) -> str:
        threads = f"{self.threads} thread{'s' * (self.threads != 1)}"
        parts = [f"{self.device}: {self.name or 'unnamed'}", self.dtype, threads, f"torch {self.torch}"]
        return ", ".join([*parts, "torch.compile"] if self.compiled else parts)


class ThroughputIdentity(Record):
    """Everything that makes two measurements the same one.

    Attributes:
        method, parameters, method_source, core_source: as in ``Identity``.
        dataset, dataset_parameters, dataset_version, data: as in ``Identity``.
        training: options that the dataset and the protocol set for every fusion model.
        setting: of the device.
        steps, seconds: at least so many steps were timed at each batch size, for at least so long.
        definition: version of what is measured, and how.
    """

    method: str
    parameters: dict[str, Plain] = Field(default_factory=dict)
    method_source: str
    core_source: str
    dataset: str
    dataset_parameters: dict[str, Plain] = Field(default_factory=dict)
    dataset_version: str
    data: str
    training: dict[str, Plain] = Field(default_factory=dict)
    setting: DeviceSetting
    steps: int
    seconds: float
    definition: int = DEFINITION

    @property
    def method_spec(self) -> Spec:
        return Spec.of(self.method, self.parameters)

    @property
    def dataset_spec(self) -> Spec:
        return Spec.of(self.dataset, self.dataset_parameters)


class ThroughputRow(Record):
    """One phase at one batch size.

    Attributes:
        batch: rows of a step.
        largest: whether no larger batch fits, or none is faster; the phase's ``limit`` says which.
        compiled: whether the step went through ``torch.compile``.
        steps, warm_up: that were timed, and that were taken before.
        stable: whether the warm-up had settled.
        median_ms, p5_ms, p95_ms, p99_ms: quantiles of the time of a step, in milliseconds; the median is the p50
            of the latency.
        samples_per_second: the batch over the median.
        flops_per_second: achieved.
        share_of_peak: that over the measured peak of the same device.
        peak_bytes: most memory that the process held (on a GPU: that its allocator gave out) meanwhile.
        joules_per_1000: energy of the device for 1,000 samples.
    """

    batch: int
    largest: bool = False
    compiled: bool = False
    steps: int
    warm_up: int
    stable: bool
    median_ms: float
    p5_ms: float
    p95_ms: float
    p99_ms: float
    samples_per_second: float
    flops_per_second: float | None = None
    share_of_peak: float | None = None
    peak_bytes: int | None = None
    joules_per_1000: float | None = None


class ThroughputPhase(Record):
    """Training or inference, at every batch size that was possible.

    Attributes:
        rows: by batch size, ascending.
        reason: why there are none; empty if there are some.
        limit: why there is no larger batch.
        flops_per_sample: of a step (in training: forward and backward), over the rows that it has.
        flops_reason: why these are not known.
        uncounted: operations that work and that were not counted.
    """

    rows: tuple[ThroughputRow, ...] = ()
    reason: str = ""
    limit: str = ""
    flops_per_sample: float | None = None
    flops_reason: str = ""
    uncounted: tuple[str, ...] = ()

    def at(self, batch: int) -> ThroughputRow | None:
        """The row of a batch size; None if it has none."""
        return next((row for row in self.rows if row.batch == batch), None)

    @property
    def largest(self) -> ThroughputRow | None:
        """The row of the largest batch."""
        return next((row for row in self.rows if row.largest), None)


class Throughput(Record):
    """One record.

    Attributes:
        outcome: how the measurement ended.
        kind: ``model``, whose steps were taken directly, or ``estimator``, whose ``predict`` was called.
        train, predict: the two phases.
        peak_flops_per_second: the best of matrix products and convolutions in the same process.
        energy_reason: why there is no energy; empty if there is.
        load: averages of the machine over 1, 5 and 15 minutes before the first measurement of the command.
        busy: whether these say that something else ran then.
        seconds: that the measurement took.
    """

    schema_version: Literal[1] = 1
    identity: ThroughputIdentity
    outcome: Outcome = Outcome()
    kind: Literal["", "model", "estimator"] = ""
    train: ThroughputPhase = ThroughputPhase()
    predict: ThroughputPhase = ThroughputPhase()
    peak_flops_per_second: float | None = None
    energy_reason: str = ""
    load: tuple[float, ...] = ()
    busy: bool = False
    seconds: float = 0.0
    provenance: Provenance

    @property
    def ok(self) -> bool:
        return self.outcome.status == "ok"


def path_of(out: Path, identity: ThroughputIdentity) -> Path:
    """Where the record of such a measurement lies."""
    return out / FOLDER / identity.setting.slug / identity.dataset_spec.slug / f"{identity.method_spec.slug}.json"


def write_throughput(out: Path, record: Throughput) -> Path:
    """Keep a record, in the place of an older one.

    Raises:
        UnwritableError: if the disk is full or the folder cannot be written to.
    """
    path = path_of(out, record.identity)
    store.write_whole(path, (record.model_dump_json(indent=1) + "\n").encode())
    return path


def read_throughput(path: Path) -> Throughput:
    """A validated record.

    Raises:
        MmbenchError: if it is no record of this schema.
    """
    try:
        return Throughput.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise MmbenchError(f"{path} is no record of throughput of this version: {where}: {first['msg']}") from None


def found_throughput(out: Path, identity: ThroughputIdentity) -> Throughput | None:
    """The record of this very measurement; None if there is none, or one that other source or data have made."""
    try:
        found = read_throughput(path_of(out, identity))
    except (FileNotFoundError, MmbenchError):
        return None  # what cannot be read is measured anew
    return found if found.identity == identity else None


def load_throughput(out: Path, dataset: str = "*") -> list[Throughput]:
    """All records below a folder, by setting, dataset and method; what cannot be read is logged and left out.

    Args:
        out: folder of results.
        dataset: slug of the one that is meant; all of them without it.
    """
    found = []
    for path in sorted((out / FOLDER).glob(f"*/{dataset}/*.json")):
        try:
            found.append(read_throughput(path))
        except (MmbenchError, OSError) as error:
            logging.getLogger(__name__).warning("%s", error)
    return sorted(found, key=_place)


def by_device(records: Iterable[Throughput]) -> Mapping[DeviceSetting, Mapping[str, Sequence[Throughput]]]:
    """{setting: {dataset: records}}: only what stands together here may be compared."""
    groups: dict[DeviceSetting, dict[str, list[Throughput]]] = {}
    for record in sorted(records, key=_place):
        datasets = groups.setdefault(record.identity.setting, {})
        datasets.setdefault(str(record.identity.dataset_spec), []).append(record)
    return groups


def _place(record: Throughput) -> tuple[str, str, str]:
    identity = record.identity
    return str(identity.setting), str(identity.dataset_spec), str(identity.method_spec)
