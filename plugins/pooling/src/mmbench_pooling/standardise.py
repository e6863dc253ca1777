"""Standardisation of modality vectors without learned scale and shift."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MaskedBatchNorm(nn.Module):
    """f̃_m = (f_m − μ_m)/√(σ²_m + ε), μ_m and σ²_m over the rows that have modality m.

    After Ioffe and Szegedy 2015 (arXiv:1502.03167, Algorithm 1), without γ and β: statistics are those
    of the batch in training, and their running averages in evaluation and for a modality that fewer than
    two rows of the batch have. Rows without the modality have no part in them; whatever stands
    there is standardised alike. With every modality present it is ``nn.BatchNorm1d`` of each.

    Args:
        modalities: M.
        width: d.
        momentum: weight of a batch in the running averages.
        eps: ε.

    Shapes:
        (B,M,d), present (B,M) bool -> (B,M,d).
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, modalities: int, width: int, momentum: float = 0.1, eps: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.register_buffer("mean", torch.zeros(modalities, width))
        self.register_buffer("variance", torch.ones(modalities, width))

    def forward(self, f: Tensor, present: Tensor) -> Tensor:
        f = f.to(self.mean.dtype)  # of half precision: its sums over a batch are too coarse
        mean, variance = self._batch(f, present) if self.training else (self.mean, self.variance)
        return (f - mean) * (variance + self.eps).rsqrt()

    def _batch(self, f: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """(M,d) mean and biased variance of the batch; the running ones take a step."""
        here = present[..., None].to(f.dtype)
        rows = here.sum(0)
        enough, count = rows > 1, rows.clamp(min=2)
        mean = (f * here).sum(0) / count
        variance = ((f - mean).square() * here).sum(0) / count
        mean = torch.where(enough, mean, self.mean)
        biased = torch.where(enough, variance, self.variance)
        unbiased = torch.where(enough, variance * count / (count - 1), self.variance)
        # in place, as `vmap` wants it of buffers
        self.mean.copy_(self.mean.lerp(mean.detach(), self.momentum))
        self.variance.copy_(self.variance.lerp(unbiased.detach(), self.momentum))
        return mean, biased


class PlainLayerNorm(nn.Module):
    """Each vector standardised by its own mean and variance, without scale and shift: (B,M,d) -> (B,M,d)."""

    def forward(self, f: Tensor, present: Tensor) -> Tensor:
        return F.layer_norm(f, f.shape[-1:])
