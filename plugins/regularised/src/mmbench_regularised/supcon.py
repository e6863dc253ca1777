"""Constraint 1, supervised: points of one class attract each other."""

from typing import Annotated

from torch import Tensor

from mmbench import Batch, FusionOutput, Range, Task, Term
from mmbench_regularised.embedded import Embedded, mean_where, pairs
from mmbench_regularised.targets import jaccard, labelled, labels, refuse_values

FAR = -1e9  # a similarity that weighs nothing in a softmax, and is finite


class SupCon(Term):
    """Mean over points i of −Σ_p w_ip log[exp(z_i·z_p/τ) / Σ_{a≠i} exp(z_i·z_a/τ)] / Σ_p w_ip, p ≠ i.

    A point is one modality of one sample, z its unit embedding. w is 1 for points of one class and 0
    for others, so that the positives of a point are its sample's other modalities and all points of its
    class; in multilabel tasks w is the Jaccard index of the label sets. Points without a positive are
    no anchors. After Khosla et al. 2020, Supervised contrastive learning (arXiv:2004.11362), L_out,
    there over views of an image; averaged over anchors rather than summed, so that its weight does not
    depend on the batch.

    Args:
        task: gives the labels.
        temperature: τ.
    """

    def __init__(self, task: Task, *, temperature: Annotated[float, Range(0.01, 1.0, log=True)] = 0.07) -> None:
        super().__init__()
        refuse_values(task, "supcon")
        self.task, self.temperature = task, temperature

    def forward(self, output: FusionOutput, batch: Batch) -> Tensor:
        embedded = Embedded.of(output, batch, "supcon")
        z, here = embedded.points()
        alike = embedded.between_points(jaccard(labels(self.task, batch.target, z.dtype)))
        known = labelled(batch)[:, None].expand_as(embedded.here).flatten()
        others = pairs(here & known)
        similarity = z @ z.T / self.temperature
        weight = alike * others.to(z.dtype)
        total = weight.sum(1)
        everything = (similarity + FAR * (~others).to(z.dtype)).logsumexp(1)
        loss = everything - (weight * similarity).sum(1) / total.clamp(min=1e-12)
        return mean_where(loss, total > 0)
