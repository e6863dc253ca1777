"""The record of one cell: method x dataset x track x seed. One JSON file, validated both ways.

``python -m mmbench.results.schema`` prints the JSON Schema that stands in ``result.schema.json``.
"""

import json
from hashlib import sha256
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION = 1

Plain = bool | int | float | str | None | tuple[bool | int | float | str, ...]
# Of the identity: left out of the key where they say nothing, so that a key once published stays.
_ADDED_LATER = ("augment", "balance", "trials", "sampler")
Status = Literal["ok", "error", "timeout", "killed", "diverged", "pruned"]


class Record(BaseModel):
    """Base of all parts: immutable, nothing unknown, nothing that is no number."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Identity(Record):
    """Everything that makes two measurements the same one. Its hash is the key.

    Attributes:
        method, parameters: the method and its hyper-parameters that differ from the default.
        tuned: whether they come from a search rather than by default or by hand.
        trials, sampler: of that search: how many configurations it tried, and how it chose them.
        method_source: hash of the source of the plugins that brought the method and its terms (and, for
            methods that use it, the dataset's posterior).
        core_source: hash of mmbench's own source that computes scores.
        dataset, dataset_parameters, dataset_version: the dataset and what differs from its default.
        data: fingerprint of its decoded content.
        training: options that the dataset and the protocol set for every fusion model.
        augment: terms that change the train split's inputs at every step, for every fusion model, as
            ``mmbench run --augment`` takes them; empty if there are none.
        balance: whether the train split was resampled to equal presence patterns and classes.
        split, track: what was predicted, in which direction.
        protocol, protocol_version: how it was run and measured.
        seed: every random draw of the cell comes from it.
        device, dtype, threads, compiled, deterministic: the arithmetic (see ``Arithmetic``).
        together: the seeds of a sweep that trains all of them at once, where a method can; empty if
            one is trained after the other. Random draws differ between the two.
    """

    method: str
    parameters: dict[str, Plain] = Field(default_factory=dict)
    tuned: bool = False
    trials: int = 0
    sampler: str = ""
    method_source: str
    core_source: str
    dataset: str
    dataset_parameters: dict[str, Plain] = Field(default_factory=dict)
    dataset_version: str
    data: str
    training: dict[str, Plain] = Field(default_factory=dict)
    augment: str = ""
    balance: bool = False
    split: str = "test"
    track: str = "fusion"
    protocol: str
    protocol_version: int
    seed: int
    device: str = "cpu"
    dtype: str = "float32"
    threads: int = 1
    compiled: bool = False
    deterministic: bool = False
    together: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        """64 hexadecimal digits."""
        fields = {
            name: value for name, value in self.model_dump(mode="json").items() if value or name not in _ADDED_LATER
        }
        canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"))
        return sha256(canonical.encode()).hexdigest()


class Outcome(Record):
    """How the cell ended; everything but ``ok`` has a message that a person can act on.

    Attributes:
        status: ``ok``; ``error`` (an exception), ``diverged`` (NaN or infinite), ``timeout``,
            ``killed`` (by a signal, or out of memory), ``pruned`` (a trial of a search that was not worth its end).
        message: one line.
        traceback: of an exception.
        epoch: at which training diverged, or was ended.
        attempts: times it was started.
    """

    status: Status = "ok"
    message: str = ""
    traceback: str = ""
    epoch: int | None = None
    attempts: int = 1


class ModalityRecord(Record):
    name: str
    kind: str
    shape: tuple[int, ...]


class TaskRecord(Record):
    """What was predicted, on how many rows, in units of which metric."""

    kind: str
    outputs: int
    metric: str
    higher_is_better: bool
    modalities: tuple[ModalityRecord, ...]
    sizes: dict[str, int]
    group: str = ""


class Execution(Record):
    """Which path the training took.

    Attributes:
        seeds: ``together`` or ``sequential``.
        reason: why a method was trained sequentially in a sweep that trains seeds together.
        augmented: whether the augmentation of the identity was seen. It acts in the trainer: a method that
            is not trained there (a linear model, boosted trees, the prior) never sees one.
    """

    seeds: Literal["sequential", "together"] = "sequential"
    reason: str = ""
    augmented: bool = False


class Cost(Record):
    """What the cell took.

    Attributes:
        parameters: trained numbers; None for methods that are no neural model.
        epochs: that were trained, over all models of the fit.
        fit_seconds, predict_seconds: wall time of training and of the test prediction; of seeds that
            were trained together, an equal share of the time of all.
    """

    parameters: int | None = None
    epochs: int | None = None
    fit_seconds: float | None = None
    predict_seconds: float | None = None


class TrialPart(Record):
    """Of a trial of a search: one configuration, judged on the validation split alone.

    Attributes:
        number: from 0, the default configuration.
        criteria: after each epoch, the lowest validation criterion so far; none without a single training that
            the suite's trainer does.
    """

    number: int
    criteria: tuple[float, ...] = ()


class Tuning(Record):
    """Where the parameters of a tuned row come from.

    Attributes:
        given: parameters that were set before the search, which left them alone.
        seed: of the search.
        best: number of the trial that was best on validation.
        validation, default: the main metric of that trial, and of the default configuration, there.
        history: hash of the file beside the record that holds every trial, ``history-<its first digits>.json``.
    """

    given: dict[str, Plain] = Field(default_factory=dict)
    seed: int
    best: int
    validation: float
    default: float | None = None
    history: str


class Provenance(Record):
    """Where a result comes from: recorded, not keyed."""

    created: str
    mmbench: str
    plugin: str
    libraries: dict[str, str]
    hardware: dict[str, Plain]
    commit: str = ""
    dirty: bool | None = None


class Result(Record):
    """One cell's record.

    Attributes:
        key: of the identity.
        role: ``method``, ``floor`` or ``ceiling``.
        own_encoder: whether the method brought its own encoder.
        configuration: every hyper-parameter and training option in force, defaults included.
        scores, validation: by name, on the test and the validation split.
        chance: the main metric of predicting the training prior on the test split.
        ceiling: the best expected value of the main metric, where it is known.
        execution: which path the training took.
        curve: the validation criterion after each epoch, of a method with one training.
        trial: of a trial of a search alone.
        tuning: of a row whose parameters come from a search.
    """

    schema_version: Literal[1] = 1
    key: str
    identity: Identity
    outcome: Outcome
    role: str = "method"
    own_encoder: bool = False
    configuration: dict[str, Plain] = Field(default_factory=dict)
    task: TaskRecord
    scores: dict[str, float] = Field(default_factory=dict)
    validation: dict[str, float] = Field(default_factory=dict)
    chance: float | None = None
    ceiling: float | None = None
    execution: Execution = Execution()
    cost: Cost = Cost()
    curve: tuple[float, ...] = ()
    trial: TrialPart | None = None
    tuning: Tuning | None = None
    provenance: Provenance

    @property
    def ok(self) -> bool:
        return self.outcome.status == "ok"


def json_schema() -> str:
    """The JSON Schema of ``Result``, as it is committed."""
    return json.dumps(Result.model_json_schema(), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    print(json_schema(), end="")
