"""What a measure of a fitted method is given, and what it gives.

Such a measure is ``callable(subject, *, …) -> Findings``: it asks the subject for predictions and
embeddings and makes numbers of them. It trains nothing by itself, reads no file, and changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from mmbench.core.cards import MethodCard
from mmbench.core.task import Task
from mmbench.nn.models import FusionModel
from mmbench.nn.records import Inputs, Split

Array = NDArray[np.float64]
Plain = bool | int | float | str | None
Table = Mapping[str, Sequence[Plain]]  # columns of one length, by name
Part = Literal["train", "validation", "test"]
Made = TypeVar("Made")


@dataclass(frozen=True)
class Findings:
    """What a measure has found out about one fitted method.

    Attributes:
        scores: by the names of the scores on the measure's card; those that are not defined here are
            left out.
        tables: what stands behind them (a curve, a matrix), as columns of one length.
        notes: how it was measured, as far as it is not the same everywhere: rows, draws, mechanism.
        reason: why there are no scores; empty if there are some.
    """

    scores: Mapping[str, float] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    notes: Mapping[str, Plain] = field(default_factory=dict)
    reason: str = ""


class Subject(Protocol):
    """A fitted method on a dataset.

    Attributes:
        method: its card.
        task: that it does.
        seed: of the cell.
        chance: the main metric of the training prior on the test split; None if it is not defined.
        ceiling: the best expected value of the main metric, where it is known.
        dataset, parameters: the dataset's name, and what differs from its default.
        sizes: rows of each part.
        model: the trained model that gives the predictions, in eval mode on its device; None for methods that are no
            single fusion model.
        effort: what fitting took, by the words of ``Effort``.
    """

    @property
    def method(self) -> MethodCard: ...

    @property
    def task(self) -> Task: ...

    @property
    def seed(self) -> int: ...

    @property
    def chance(self) -> float | None: ...

    @property
    def ceiling(self) -> float | None: ...

    @property
    def dataset(self) -> str: ...

    @property
    def parameters(self) -> Mapping[str, object]: ...

    @property
    def sizes(self) -> Mapping[str, int]: ...

    @property
    def model(self) -> FusionModel | None: ...

    @property
    def effort(self) -> "Effort": ...

    def rows(self, part: Part, most: int | None = None, *, complete: bool = False) -> Split:
        """Rows of a part, in standardised floats, with their targets.

        Args:
            part: of the dataset.
            most: a fixed random choice of so many, the same for every method and seed; None for all.
            complete: rows that have every modality, alone.
        """
        ...

    def predictions(self, part: Part) -> Array:
        """(N,K) as ``predict``, for a whole part; known for the test and the validation split."""
        ...

    def targets(self, part: Part) -> NDArray[Any]:
        """Of a whole part: (N,) int64 classes, (N,K) labels, or (N,K) values in their own units."""
        ...

    def predict(self, split: Split) -> Array:
        """(N,K) probabilities, or values in the target's own units. The training prior answers for rows
        without any modality. Targets are withheld from the method."""
        ...

    def predictor(self, base: Split) -> Callable[[Inputs], Array]:
        """``predict`` for many variants of one split, quicker: what a variant shares with the base, tensor by
        tensor (``variant.values[m] is base.inputs.values[m]``), is encoded once."""
        ...

    def score(self, prediction: Array, split: Split) -> float:
        """The task's main metric, in its own direction; NaN where it is not defined."""
        ...

    def scores(self, prediction: Array, split: Split) -> dict[str, float]:
        """All scores of predictions."""
        ...

    def embed(self, split: Split) -> dict[str, Array]:
        """{m: (N,d_m)} each modality's own encoding, before fusion; empty if the method gives none."""
        ...

    def unimodal(self, split: Split) -> dict[str, Array]:
        """{m: (N,K)} predictions (as ``predict``) of the method's own heads of one modality each; empty if it
        has none."""
        ...

    def refit(self, train: NDArray[np.int64]) -> "Subject":
        """The same method with the same seed, fitted anew on some rows of the train part alone."""
        ...

    def to_device(self, split: Split) -> Split:
        """A split where the method computes."""
        ...

    def generator(self, *words: object) -> np.random.Generator:
        """Random draws that depend on the cell's seed and on these words, and on nothing else: not on the method,
        so that every method meets the same corruptions."""
        ...

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        """What several measures need, made by the first that asks."""
        ...


@dataclass(frozen=True)
class Effort:
    """What fitting took. Seconds are wall time; all of it is None where it was not observed.

    Attributes:
        fit: in all.
        data: of it, fetching and moving batches.
        steps: forward and backward passes and the optimiser.
        judging: validation after each epoch.
        predict: of the test split.
        peak_bytes: most memory that the process (on a GPU: the device's allocator) held meanwhile.
        extra: of what is no number of seconds, such as the number of trained models.
    """

    fit: float | None = None
    data: float | None = None
    steps: float | None = None
    judging: float | None = None
    predict: float | None = None
    peak_bytes: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
