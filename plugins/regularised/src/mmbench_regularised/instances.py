"""Constraint 3, between instances: what a class would make alike stays distinct."""

from typing import Annotated

import torch
from torch import Tensor

from mmbench import Batch, FusionOutput, Range, Task, Term
from mmbench_regularised.embedded import Embedded, mean_where
from mmbench_regularised.supcon import FAR
from mmbench_regularised.targets import jaccard, labelled, labels, refuse_values


class Instances(Term):
    """Mean over samples i and ordered pairs of modalities m ≠ n of InfoNCE within the class:

    −log[exp(z_im·z_in/τ) / Σ_j w_ij exp(z_im·z_jn/τ)], w_ij = 1 for samples of i's class (itself too).

    The positive is the same sample in another modality, the negatives are other samples of its class
    in that modality; in multilabel tasks w is the Jaccard index of the label sets. Samples without a
    negative take no part. For embeddings that are all alike it is the logarithm of the class's size in
    the batch. InfoNCE after van den Oord et al. 2018 (arXiv:1807.03748).

    Args:
        task: gives the labels.
        temperature: τ.
    """

    def __init__(self, task: Task, *, temperature: Annotated[float, Range(0.01, 1.0, log=True)] = 0.07) -> None:
        super().__init__()
        refuse_values(task, "instances")
        self.task, self.temperature = task, temperature

    def forward(self, output: FusionOutput, batch: Batch) -> Tensor:
        embedded = Embedded.of(output, batch, "instances", least=2)
        z, here = embedded.z.transpose(0, 1), (embedded.here & labelled(batch)[:, None]).T  # (M,B,d), (M,B)
        alike = jaccard(labels(self.task, batch.target, z.dtype))
        candidates = (alike > 0) & here[:, None]  # (M,B,B): of anchor i, samples j that have modality n
        weight = torch.where(candidates, alike.clamp(min=1e-12).log(), FAR)
        first, second = torch.triu_indices(len(z), len(z), 1, device=z.device)  # P pairs of modalities
        similarity = z[first] @ z[second].transpose(1, 2) / self.temperature
        both_ways = torch.cat([similarity, similarity.transpose(1, 2)])  # (2P,B,B): anchor, then candidate
        candidate = torch.cat([second, first])
        loss = (both_ways + weight[candidate]).logsumexp(-1) - both_ways.diagonal(dim1=1, dim2=2)
        contrasted = candidates.sum(-1) > 1
        return mean_where(loss, here[torch.cat([first, second])] & here[candidate] & contrasted[candidate])
