"""What a method made of some rows: encodings and posteriors of each modality, where it is present."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmbench.core.task import BERNOULLI
from mmbench.measures.matching.retrieval import Classes
from mmbench.measures.matching.similarity import as_logits
from mmbench.measures.subject import Array, Part, Subject


@dataclass(frozen=True)
class Pair:
    """Two modalities of the rows that have both.

    Attributes:
        first, second: (N,d) and (N,e) encodings.
        logits: (N,K) and (N,L), of which posteriors are made.
        classes: (N,), in classification.
    """

    first: Array
    second: Array
    logits: tuple[Array, Array]
    classes: Classes | None

    def __len__(self) -> int:
        return len(self.first)


LEAST = 4  # pairs that debiased CKA needs


@dataclass(frozen=True)
class Sample:
    """Rows of a part.

    Attributes:
        rows: N, those that have two modalities or more.
        embeddings: {m: (N,d_m)} by the method; empty if it gives none, or if there are no rows.
        logits: {m: (N,K)} of its unimodal heads; the embeddings themselves, if it has not one for each.
        heads: whether the logits are those of heads.
        present: {m: (N,)}.
        classes: (N,), in classification.
    """

    rows: int
    embeddings: dict[str, Array]
    logits: dict[str, Array]
    heads: bool
    present: dict[str, NDArray[np.bool_]]
    classes: Classes | None

    def pair(self, first: str, second: str) -> Pair | None:
        """None if fewer than 4 rows have both."""
        if not {first, second} <= self.embeddings.keys():
            return None
        rows = self.present[first] & self.present[second]
        if rows.sum() < LEAST:
            return None
        a, b, p, q = (of[m][rows] for of in (self.embeddings, self.logits) for m in (first, second))
        return Pair(a, b, (p, q), None if self.classes is None else self.classes[rows])

    @property
    def finite(self) -> bool:
        """Whether every number that may be used is one."""
        made = [(of[m], self.present[m]) for of in (self.embeddings, self.logits) for m in self.embeddings]
        return all(np.isfinite(x[present]).all() for x, present in made)


def sample(subject: Subject, part: Part, most: int) -> Sample:
    """At most so many rows of a part that have two modalities or more, encoded."""
    split = subject.rows(part, most)
    several = split.inputs.present.sum(1) > 1
    if not several.all():
        split = split.take(several.nonzero()[:, 0])
    if not len(split):
        return Sample(0, {}, {}, False, {}, None)
    embeddings = {name: np.asarray(z, dtype=np.float64) for name, z in subject.embed(split).items()}
    heads = subject.unimodal(split) if embeddings and subject.task.kind != "regression" else {}
    complete = bool(heads) and embeddings.keys() <= heads.keys()
    labels = subject.task.kind in BERNOULLI
    logits = {name: as_logits(heads[name], labels) for name in embeddings} if complete else embeddings
    known = subject.task.kind == "classification" and split.target is not None and split.labelled is None
    classes = split.target.cpu().numpy() if known and split.target is not None else None
    present = {name: split.inputs.here(name).cpu().numpy() for name in split.inputs.names}
    return Sample(len(split), embeddings, logits, complete, present, classes)
