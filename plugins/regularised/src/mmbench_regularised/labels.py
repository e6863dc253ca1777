"""Constraint 4, between labels: distances follow how related labels are."""

from typing import Annotated

import torch
from torch import Tensor

from mmbench import Batch, FusionOutput, Range, Split, Task, Term
from mmbench_regularised.embedded import Embedded, mean_where, pairs
from mmbench_regularised.targets import labelled, labels, refuse_values


class Labels(Term):
    """Mean over pairs of points of R D² + (1−R) max(0, margin − D)², D the distance of unit embeddings.

    A point is one modality of one sample; R in [0,1] says how related the two samples' labels are. With
    C_ab the cosine of labels a and b over the train split (how often they occur together), label sets y
    have R = yᵀCy' / √(yᵀCy · y'ᵀCy'); two empty sets have 1, an empty and another one 0. In
    classification no two labels occur together: C is the identity, and R says whether classes are equal.
    The form is the contrastive loss of Hadsell, Chopra & LeCun 2006 with R in place of its indicator.

    Args:
        task: gives the labels.
        margin: distance from which unrelated points are left alone; of unit vectors it is at most 2.
    """

    related: Tensor

    def __init__(self, task: Task, *, margin: Annotated[float, Range(0.1, 2.0)] = 1.0) -> None:
        super().__init__()
        refuse_values(task, "labels")
        self.task, self.margin = task, margin
        self.register_buffer("related", torch.eye(task.outputs))  # C

    def begin(self, train: Split) -> None:
        if self.task.kind == "multilabel":
            self.related.copy_(cooccurrence(train.supervised()[1]))

    def forward(self, output: FusionOutput, batch: Batch) -> Tensor:
        embedded = Embedded.of(output, batch, "labels")
        z, here = embedded.points()
        y = labels(self.task, batch.target, z.dtype)
        relation = embedded.between_points(relatedness(y, self.related.to(z.dtype)))
        known = labelled(batch)[:, None].expand_as(embedded.here).flatten()
        squared = (2 - 2 * z @ z.T).clamp(min=1e-12)  # the root has no gradient at zero
        apart = (self.margin - squared.sqrt()).clamp(min=0).square()
        return mean_where(relation * squared + (1 - relation) * apart, pairs(here & known))


def cooccurrence(sets: Tensor) -> Tensor:
    """(N,L) zeros and ones -> (L,L): Σ y_a y_b / √(Σ y_a Σ y_b), 1 on the diagonal."""
    together = sets.T @ sets
    often = together.diagonal().clamp(min=1).sqrt()
    cosine = together / (often[:, None] * often)
    return cosine.masked_fill(torch.eye(len(cosine), dtype=torch.bool, device=cosine.device), 1)


def relatedness(sets: Tensor, related: Tensor) -> Tensor:
    """(B,L) label sets and (L,L) -> (B,B): R."""
    inner = sets @ related @ sets.T
    own = inner.diagonal()
    empty = own == 0
    length = own.clamp(min=1e-12).sqrt()
    both_empty = (empty[:, None] & empty).to(inner.dtype)
    return (inner / (length[:, None] * length)).clamp(max=1) + both_empty
