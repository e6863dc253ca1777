"""What ``mmbench results analyse`` stores beside the records: ``analysis.json``, validated both ways.

Rows of each budget of a search have a file of their own, ``analysis-20-random.json``.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from mmbench.boards.budget import UNTUNED, Budget
from mmbench.results import store
from mmbench.results.schema import Record

CONFIDENCE = 0.95
SEED = 20240  # of the bootstrap
RESAMPLES = 10_000  # of the main metric
RESAMPLES_OTHERS = 2_000  # of the other scores


class Estimate(Record):
    """A score of a row.

    Attributes:
        mean, deviation: over seeds; the deviation has n - 1 in its denominator and is None for one seed.
        low, high: percentile interval over resampled seeds and test examples.
        resamples: that the interval comes from.
        reason: why there is no interval.
    """

    mean: float
    deviation: float | None = None
    low: float | None = None
    high: float | None = None
    resamples: int = 0
    reason: str = ""


class Difference(Record):
    """A paired difference of the main metric, in its own units: first minus second.

    Attributes:
        first, second: ids of rows.
        difference: of the means.
        low, high: its percentile interval.
        excludes_zero: whether the interval does.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    excludes_zero: bool

    @property
    def sign(self) -> int:
        """1 or -1 where the whole interval lies on that side of zero, else 0."""
        return (self.low > 0) - (self.high < 0)

    def seen_from(self, row: str) -> "Difference":
        """The same as ``row`` minus the other."""
        if self.first == row:
            return self
        turned = {"difference": -self.difference, "low": -self.high, "high": -self.low}
        no_minus_zero = {name: value or 0.0 for name, value in turned.items()}
        return self.model_copy(update={"first": row, "second": self.first, **no_minus_zero})


class RowAnalysis(Record):
    """One row.

    Attributes:
        id: hash of the identity without the seed.
        method: its label on boards.
        role: ``method``, ``floor`` or ``ceiling``.
        keys, seeds: of the records used.
        failed: seeds that did not finish, by status.
        scores: by name.
        normalised: share of the way from chance to the ceiling.
        rank: 1 + rows of role ``method`` or ``floor`` that are significantly better; None without one.
        versus_unimodal: the difference to the unimodal row that is best on validation.
        reason: why the row has no intervals at all.
    """

    id: str
    method: str
    role: str
    keys: tuple[str, ...]
    seeds: tuple[int, ...]
    failed: dict[str, int] = Field(default_factory=dict)
    scores: dict[str, Estimate]
    normalised: Estimate | None = None
    rank: int | None = None
    versus_unimodal: Difference | None = None
    reason: str = ""


class Bootstrap(Record):
    """How the intervals were made.

    Attributes:
        confidence: of every interval.
        resamples: of the main metric.
        resamples_others: of the other scores.
        seed: of the resampling.
        unit: what was resampled: ``example``, or the name of the group.
        units, examples: how many of these units and of test examples; 0 where no target could be read.
    """

    confidence: float = CONFIDENCE
    resamples: int
    resamples_others: int
    seed: int
    unit: str
    units: int
    examples: int


class LeftOutRecords(Record):
    """Records that differ in what they were measured on."""

    differs: str
    methods: tuple[str, ...]
    records: int


class Analysis(Record):
    """The statistics of one dataset under one protocol.

    Attributes:
        records, digest: how many finished records it was made from, and a hash of them.
        data, core_source: of the records that were analysed.
        chance, ceiling: of the main metric, where known.
        best_unimodal: id of the row of method ``unimodal`` that is best on validation.
        comparisons: of every two rows with intervals, on the main metric.
    """

    analysis_version: Literal[1] = 1
    protocol: str
    protocol_version: int
    dataset: str
    data: str
    core_source: str
    metric: str
    higher_is_better: bool
    records: int
    digest: str
    bootstrap: Bootstrap
    chance: float | None = None
    ceiling: float | None = None
    best_unimodal: str | None = None
    rows: tuple[RowAnalysis, ...]
    comparisons: tuple[Difference, ...]
    left_out: tuple[LeftOutRecords, ...] = ()
    unreadable: dict[str, str] = Field(default_factory=dict)


def analysis_path(folder: Path, budget: Budget = UNTUNED) -> Path:
    """Where the analysis of the rows of a budget stands, in a dataset's folder."""
    return folder / f"analysis{budget.file}.json"


def read_analysis(folder: Path, budget: Budget = UNTUNED) -> Analysis | None:
    """The analysis in a dataset's folder; None if there is none that can be read."""
    try:
        return Analysis.model_validate_json(analysis_path(folder, budget).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def write_analysis(folder: Path, analysis: Analysis, budget: Budget = UNTUNED) -> Path:
    """Write it, whole or not at all."""
    path = analysis_path(folder, budget)
    store.write_whole(path, (analysis.model_dump_json(indent=1) + "\n").encode())
    return path
