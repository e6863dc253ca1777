"""The perceptual score of each modality: what is lost when its values are permuted over the test rows.

P_m = [v(M) − E_π v(M, x_m permuted)] / Z (Gat et al. 2021, arXiv:2110.14375). Three normalisers: Z = 1 (``raw``), Z =
|v(M)| (``accuracy``), and Z = perfect − prior (``majority``), which is 1 − the majority's share if the main
metric is accuracy. The definitions of Z are ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from mmbench.measures.coalitions import coalition_values, headroom, prior_value
from mmbench.measures.subject import Subject

TINY = 1e-9  # a normaliser below it is none


@dataclass(frozen=True)
class Perceptual:
    """The perceptual score of one modality under each normaliser; None where that is zero or infinite."""

    raw: float
    accuracy: float | None
    majority: float | None


def perceptual_scores(subject: Subject, names: Sequence[str], rows: int, permutations: int) -> dict[str, Perceptual]:
    """{m: its perceptual scores}.

    Args:
        subject: of which the main metric is taken, turned so that higher is better.
        names: of the modalities.
        rows: of the test split.
        permutations: over which the mean is taken.
    """
    everything = frozenset(names)
    wanted = [everything, *(everything - {name} for name in names)]
    values = coalition_values(subject, wanted, absent="permuted", rows=rows, draws=permutations)
    full = values[everything]
    room = headroom(subject.task.score, prior_value(subject, rows))

    def score(name: str) -> Perceptual:
        raw = full - values[everything - {name}]
        return Perceptual(raw, relative(raw, abs(full)), relative(raw, room))

    return {name: score(name) for name in names}


def relative(value: float, normaliser: float) -> float | None:
    """A quotient, None where the normaliser is no positive, finite number."""
    return value / normaliser if TINY < normaliser < inf else None
