"""Modality matching: whether the encodings of two modalities of one sample find each other."""

from collections.abc import Sequence
from itertools import combinations
from math import comb, sqrt
from typing import Annotated

from mmbench.core.parameters import Range
from mmbench.core.task import BERNOULLI
from mmbench.measures.matching.compare import Compared, compare
from mmbench.measures.matching.maps import STRENGTHS
from mmbench.measures.matching.pairs import derangements
from mmbench.measures.matching.samples import LEAST, Sample, sample
from mmbench.measures.matching.tables import Compareds, level, mean_deranged, tables
from mmbench.measures.matching.views import Draws, mean
from mmbench.measures.subject import Findings, Plain, Subject

FEWEST = 300  # rows that are not divided further
MAP = (
    "post-hoc ridge, affine, each way fitted on train and compared in its target's centred space, mean of both ways; "
    f"strength by leave-one-out on train, {STRENGTHS[0]:g} to {STRENGTHS[-1]:g} of the mean eigenvalue"
)


def matching(
    subject: Subject,
    *,
    pairs: Annotated[int, Range(LEAST, 2000)] = 1000,
    fit: Annotated[int, Range(LEAST, 1_000_000)] = 1000,
    draws: Annotated[int, Range(2, 1000)] = 10,
    shuffles: Annotated[int, Range(2, 10_000)] = 100,
) -> Findings:
    """How far the encodings of two modalities of one sample can be told to belong together.

    Of more than two modalities, scores are means over pairs, which stand in the table ``pairs``. A score
    that is not defined for every pair is left out: among raw ones, those that compare encodings row by
    row need equal widths.

    Args:
        subject: whose embeddings are those of one modality each, before fusion.
        pairs: test rows at most. With P pairs of modalities, both numbers of rows are divided by √P, as far as
            ``FEWEST`` are left: the work grows with the square of the rows.
        fit: train rows at most that the ridge maps are fitted on.
        draws: derangements that make the unpaired rows of KL and Jensen–Shannon.
        shuffles: derangements that make the chance level of the headline score.
    """
    if len(subject.task.names) < 2:
        return Findings(reason="there is one modality, and none to match it with")
    many = sqrt(comb(len(subject.task.names), 2))
    test = sample(subject, "test", _divided(pairs, many))
    names = [name for name in subject.task.names if name in test.embeddings]
    if len(names) < 2:
        return Findings(reason=_too_few(test))
    train = sample(subject, "train", _divided(fit, many))
    if not (test.finite and train.finite):
        return Findings(reason="some encodings or unimodal predictions are NaN or infinite")
    compared = _compared(subject, test, train, names, draws, shuffles)
    if not compared:
        return Findings(reason=f"no two modalities are together in {LEAST} of {test.rows} test rows")
    scores = mean([each.scores for each in compared.values()])
    return Findings(scores, tables(compared), _notes(compared, names, test, draws))


def _divided(rows: int, by: float) -> int:
    return max(min(rows, FEWEST), int(rows / by))


def _too_few(test: Sample) -> str:
    if not test.rows:
        return "no test row has two modalities"
    if not test.embeddings:
        return "the method gives no encoding of each modality by itself"
    return f"the method gives an encoding of {next(iter(test.embeddings))} alone"


def _compared(
    subject: Subject, test: Sample, train: Sample, names: Sequence[str], draws: int, shuffles: int
) -> dict[tuple[str, str], Compared]:
    """Every pair of modalities that enough test rows have; the same draws for all of one length."""
    labels = subject.task.kind in BERNOULLI
    found = {}
    for first, second in combinations(names, 2):
        rows = test.pair(first, second)
        if rows:
            drawn = _draws(subject, len(rows), draws, shuffles)
            found[first, second] = compare(rows, train.pair(first, second), drawn, heads=test.heads, labels=labels)
    return found


def _draws(subject: Subject, n: int, draws: int, shuffles: int) -> Draws:
    shuffle = subject.generator("matching", "shuffles", n)
    return Draws(
        subject.generator("matching", "halves", n).permutation(n),
        derangements(n, subject.generator("matching", "derangements", n), draws),
        [shuffle.permutation(n) for _ in range(shuffles)],
    )


def _notes(compared: Compareds, names: Sequence[str], test: Sample, draws: int) -> dict[str, Plain]:
    left_out = [f"{a}+{b}" for a, b in combinations(names, 2) if (a, b) not in compared]
    level_of_mean = level(mean_deranged(compared))
    notes: dict[str, Plain] = {
        "modality_pairs": len(compared),
        "map": MAP if level_of_mean else f"none: fewer than {LEAST} train rows have both modalities of a pair",
        "posteriors": "unimodal heads" if test.heads else "softmax of the encodings, T = 1",
        "unpaired": f"cosine: all pairs; KL and Jensen–Shannon: at most {draws} derangements",
        **level_of_mean,
    }
    return notes | ({"left_out": ", ".join(left_out)} if left_out else {})
