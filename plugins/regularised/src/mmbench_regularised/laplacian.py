"""Constraint 2, unsupervised: embeddings are smooth over the graph of the inputs."""

from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor

from mmbench import Batch, FusionOutput, MmbenchError, Range, Task, Term
from mmbench_regularised.embedded import mean_where
from mmbench_regularised.graph import distances, heat_kernel


class Laplacian(Term):
    """Σ_m ½ Σ_ij S_ij ‖z_im − z_jm‖² / Σ_m Σ_ij S_ij = Σ_m tr(Z_mᵀ L Z_m) / Σ_m Σ_ij S_ij, L = D − S.

    S is the symmetric k-nearest-neighbour graph of the batch with heat-kernel weights, from the inputs
    of all modalities (``mmbench_regularised.graph``): what is near in one modality draws the embeddings
    of the others together too. z are unit embeddings, so that shrinking them does not help; samples i
    and j count in the modalities that both have. No label is read. After Belkin & Niyogi 2003,
    Laplacian eigenmaps.

    Args:
        task: gives the modalities.
        neighbours: k.
    """

    def __init__(self, task: Task, *, neighbours: Annotated[int, Range(1, 100, log=True)] = 10) -> None:
        super().__init__()
        self.modalities, self.neighbours = task.modalities, neighbours

    def forward(self, output: FusionOutput, batch: Batch) -> Tensor:
        if not output.embeddings:
            raise MmbenchError("laplacian needs embeddings before fusion, and this model has none: leave it out")
        dtype = next(iter(output.embeddings.values())).dtype
        with torch.no_grad():
            graph = heat_kernel(*distances(batch.inputs, self.modalities, dtype), self.neighbours)
        apart, weight = [], []
        for name, embedding in output.embeddings.items():
            z, here = F.normalize(embedding, dim=-1), batch.inputs.here(name)
            apart.append(1 - z @ z.T)  # ½‖z_i − z_j‖² of unit vectors
            weight.append(graph * (here[:, None] & here).to(dtype))
        return mean_where(torch.stack(apart), torch.stack(weight))
