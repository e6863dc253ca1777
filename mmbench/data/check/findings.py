"""What the check of a dataset finds: plain numbers, and the sentences that follow from them. Light."""

from dataclasses import dataclass, field

PAIRS = (("train", "test"), ("train", "validation"), ("validation", "test"))  # (reference, split that is looked up)
TARGET_WORD = {"classification": "class", "regression": "target"}  # the others have labels


@dataclass(frozen=True)
class Repeats:
    """Rows of a split that are equal to a row of another one, or to an earlier row of their own.

    Attributes:
        of, to: the split of these rows, and the one that they are looked up in.
        modality: that is equal; empty where every modality is.
        rows: how many of ``of``.
        agreeing: those among them whose target is that of all rows that they are equal to; None without targets.
    """

    of: str
    to: str
    modality: str
    rows: int
    agreeing: int | None


@dataclass(frozen=True)
class Near:
    """Rows of a split that are nearly equal to a row of another one, all modalities together (see ``near``).

    Attributes:
        of, to, rows, agreeing: as in ``Repeats``, for the nearest row; equal rows are not among them.
        nearness: the fraction of the reference's own distances below which a row is near.
        dimension: of the reference's rows, estimated from the distances to their neighbours.
    """

    of: str
    to: str
    rows: int
    agreeing: int | None
    nearness: float
    dimension: float


@dataclass(frozen=True)
class SharedRuns:
    """Rows of a split whose sequence has a run of frames that another row has too, without being equal.

    Attributes:
        of, to, modality, rows: as in ``Repeats``; ``of`` and ``to`` may be one split.
        frames: length of the run.
    """

    of: str
    to: str
    modality: str
    rows: int
    frames: int


@dataclass(frozen=True)
class Groups:
    """Groups of samples that depend on one another.

    Attributes:
        count: {split: groups}.
        shared: {"train/test": groups that stand in both}, for every two splits.
        rows: the same for the rows of the second split that are of such a group.
    """

    count: dict[str, int]
    shared: dict[str, int]
    rows: dict[str, int]


@dataclass(frozen=True)
class Columns:
    """Features of a modality over the real frames of train: channels of a timed one, numbers of the others.

    Attributes:
        modality: which; tokens have no features.
        count: of features.
        constant: those that have one value.
        nearly: those that have one value in 99 % of the frames, without the constant ones.
        pixels: whether they are places of a picture, of which some are constant by nature.
    """

    modality: str
    count: int
    constant: int
    nearly: int
    pixels: bool

    @property
    def share(self) -> float:
        """Of constant features."""
        return self.constant / self.count


@dataclass(frozen=True)
class Targets:
    """How targets are distributed.

    Attributes:
        classes: {split: rows of each class}, of classification.
        positives: {split: share of ones of each output}, of multilabel, verification and anomaly.
        quantiles: {split: minimum, quartiles and maximum of each output}, of regression.
        variation: total variation distance of the class frequencies of train and test; of the label
            with the largest, where outputs are labels.
        chance: probability of so large a difference, or a larger one, were both drawn from one distribution.
    """

    classes: dict[str, list[int]] = field(default_factory=dict)
    positives: dict[str, list[float]] = field(default_factory=dict)
    quantiles: dict[str, list[list[float]]] = field(default_factory=dict)
    variation: float | None = None
    chance: float | None = None


@dataclass(frozen=True)
class Presence:
    """What is there of a modality in a split.

    Attributes:
        split, modality: which.
        absent: share of the rows that lack it.
        blank: rows that have it with one and the same number throughout.
        lengths: minimum, median and maximum, of a timed modality.
    """

    split: str
    modality: str
    absent: float
    blank: int
    lengths: tuple[int, float, int] | None


@dataclass(frozen=True)
class Findings:
    """All that the check found.

    Attributes:
        kind: of the task.
        fingerprint: of the dataset.
        rows: {split: rows}.
        empty: {split: rows that lack every modality}.
        repeats, near, runs: between splits and within them; what was looked for and not found has 0 rows.
        groups: None without them.
        columns: of the modalities with features.
        targets: None where there are none.
        presence: of every modality in every split.
        leaks: sentences on what test or validation share with another split.
        warnings: the leaks, and all else that a reader of scores should know: one sentence each.
    """

    kind: str
    fingerprint: str
    rows: dict[str, int]
    empty: dict[str, int]
    repeats: tuple[Repeats, ...]
    near: tuple[Near, ...]
    runs: tuple[SharedRuns, ...]
    groups: Groups | None
    columns: tuple[Columns, ...]
    targets: Targets | None
    presence: tuple[Presence, ...]
    leaks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
