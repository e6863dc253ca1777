"""The history of a search: every trial, in one file beside the rows whose parameters come from it."""

from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from mmbench.core.errors import MmbenchError
from mmbench.results import store
from mmbench.results.schema import Plain, Record, Status

SHORT = 16  # digits of the hash in the file's name


class TrialRecord(Record):
    """One configuration.

    Attributes:
        number: from 0, the default configuration.
        values: of what was searched; what is missing had its default.
        status, message: how it ended.
        score: the main metric on validation; None if it did not come to its end.
        epochs, seconds: of its training.
    """

    number: int
    values: dict[str, Plain] = Field(default_factory=dict)
    status: Status = "ok"
    message: str = ""
    score: float | None = None
    epochs: int | None = None
    seconds: float | None = None


class History(Record):
    """A search of one method on one dataset.

    Attributes:
        method, given, dataset, dataset_parameters, protocol, data, core_source, method_source: as of its rows;
            ``given`` was set before the search.
        sampler, seed, budget: how configurations were chosen, and how many.
        optuna: version of what chose them.
        space: what was searched, in words.
        metric, higher_is_better: of the scores.
        trials: all of them.
        best: number of the trial whose values were taken.
    """

    history_version: Literal[1] = 1
    method: str
    given: dict[str, Plain] = Field(default_factory=dict)
    dataset: str
    dataset_parameters: dict[str, Plain] = Field(default_factory=dict)
    protocol: str
    data: str
    core_source: str
    method_source: str
    sampler: str
    seed: int
    budget: int
    optuna: str
    space: dict[str, str]
    metric: str
    higher_is_better: bool
    trials: tuple[TrialRecord, ...]
    best: int

    @property
    def content(self) -> bytes:
        """As it stands in its file."""
        return (self.model_dump_json(indent=1) + "\n").encode()

    @property
    def digest(self) -> str:
        """64 hexadecimal digits: what a record names it by."""
        return sha256(self.content).hexdigest()


def write_history(folder: Path, history: History) -> Path:
    """Keep it beside the records that name it."""
    path = history_path(folder, history.digest)
    if not path.exists():
        store.write_whole(path, history.content)
    return path


def read_history(folder: Path, digest: str) -> History:
    """The history that a record in this folder names.

    Raises:
        MmbenchError: if there is none, or it is not what the record was made from.
    """
    path = history_path(folder, digest)
    try:
        content = path.read_bytes()
        history = History.model_validate_json(content)
    except (FileNotFoundError, ValidationError):
        raise MmbenchError(f"{path} is missing, or no history of this version") from None
    if sha256(content).hexdigest() != digest:
        raise MmbenchError(f"{path} was changed after it was written")
    return history


def history_path(folder: Path, digest: str) -> Path:
    """Where the history of that hash stands, in the folder of its records."""
    return folder / f"history-{digest[:SHORT]}.json"
