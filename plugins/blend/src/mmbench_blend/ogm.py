"""OGM-GE: on-the-fly gradient modulation with generalisation enhancement."""

from typing import Annotated

import torch
from torch import Tensor, nn

from mmbench import Batch, FusionModel, FusionOutput, Inputs, ModalityEncoders, Range, Task
from mmbench_blend.modulation import coefficients, scores

ENCODERS = "encode.encoders."  # before the number of a modality, in the names of its encoder's parameters


class OGM(FusionModel):
    """logits = Σ_m W_m h_m + b; the gradient g of encoder m becomes k_m g + ε, ε ~ N(0, σ²).

    The contribution of modality m is W_m h_m + b/M (Peng et al. 2022, arXiv:2203.15332). k_m is below 1
    where it explains the batch better than the others do (``modulation.coefficients``), which leaves
    them time to learn. σ is the deviation of g over the entries of each weight tensor; biases and
    norms get no noise. (The authors' code does both to convolutions alone.) For one modality nothing is done.

    The head is linear, as the contributions ask, so that what depends on two modalities jointly, such as
    their XOR, cannot be learned. The harness descends by AdamW, whose steps do not depend on a
    constant factor of the gradient: of k_m its changes matter, and its ratio to the noise.

    Args:
        task: to be done.
        alpha: α, the degree of modulation; 0 is none.
        noise: the factor on σ; 0 is modulation alone (OGM).
        width: d of every h_m.
    """

    together = "its noise is drawn where gradients are changed, and there seeds have no random streams of their own"
    packed = True

    def __init__(
        self,
        task: Task,
        *,
        alpha: Annotated[float, Range(0.0, 1.0)] = 0.5,
        noise: Annotated[float, Range(0.0, 1.0)] = 1.0,
        width: Annotated[int, Range(8, 512, log=True)] = 64,
    ) -> None:
        super().__init__()
        self.task, self.alpha, self.noise = task, alpha, noise
        self.encode = ModalityEncoders(task, width)
        self.head = nn.Linear(width * len(task.modalities), task.outputs)

    def forward(self, inputs: Inputs) -> FusionOutput:
        encoded = self.encode(inputs)
        vectors = encoded.stack()
        modalities, width = vectors.shape[1:]
        weight = self.head.weight.reshape(-1, modalities, width)
        each = torch.einsum("bmd,kmd->bmk", vectors, weight) + self.head.bias / modalities
        unimodal = dict(zip(self.task.names, each.unbind(1), strict=True))
        return FusionOutput(each.sum(1), embeddings=encoded.vectors, fused=vectors.flatten(1), unimodal=unimodal)

    def gradients(self, grads: dict[str, Tensor], output: FusionOutput, batch: Batch) -> dict[str, Tensor]:
        if len(self.task.modalities) == 1:
            return grads
        contributions = torch.stack(list(output.unimodal.values()), 1).detach()
        k = coefficients(scores(self.task, contributions, batch), self.alpha)
        return {name: self._modulated(name, g, k) for name, g in grads.items()}

    def _modulated(self, name: str, gradient: Tensor, k: Tensor) -> Tensor:
        """The gradient of one parameter."""
        if not name.startswith(ENCODERS):
            return gradient
        modality = int(name.removeprefix(ENCODERS).partition(".")[0])
        modulated = k[modality] * gradient
        if not (self.noise and self.training and gradient.dim() > 1):
            return modulated
        return modulated + self.noise * gradient.std(correction=0) * torch.randn_like(gradient)
