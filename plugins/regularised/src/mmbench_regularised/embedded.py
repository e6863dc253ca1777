"""What the similarity constraints read of a model: its embeddings, modality by modality."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mmbench import Batch, FusionOutput, MmbenchError


@dataclass(frozen=True)
class Embedded:
    """Embeddings of unit length.

    Attributes:
        z: (B,M,d).
        here: (B,M) bool: where the modality is present. Elsewhere z is a missing token, which takes no
            part in any constraint.
    """

    z: Tensor
    here: Tensor

    @staticmethod
    def of(output: FusionOutput, batch: Batch, term: str, least: int = 1) -> "Embedded":
        """Those of a model's output.

        Raises:
            MmbenchError: if it has fewer than ``least``, or some of other widths.
        """
        found = output.embeddings
        if len(found) < least:
            some = f"{len(found)} alone" if found else "none"
            raise MmbenchError(
                f"{term} needs embeddings before fusion, of {least} or more modalities, and this model has {some}: "
                "leave it out"
            )
        widths = {name: x.shape[-1] for name, x in found.items()}
        if len(set(widths.values())) > 1:
            raise MmbenchError(f"{term} compares embeddings of one width, and this model's are {widths}: leave it out")
        z = F.normalize(torch.stack(list(found.values()), 1), dim=-1)
        return Embedded(z, torch.stack([batch.inputs.here(name) for name in found], 1))

    def points(self) -> tuple[Tensor, Tensor]:
        """(B*M,d) and (B*M,) bool: every modality of every sample as a point, a sample's side by side."""
        return self.z.flatten(0, 1), self.here.flatten()

    def between_points(self, samples: Tensor) -> Tensor:
        """A relation of samples (B,B) as one of their points (B*M,B*M)."""
        rows, modalities = self.here.shape
        spread = samples[:, None, :, None].expand(rows, modalities, rows, modalities)
        return spread.reshape(rows * modalities, rows * modalities)


def pairs(real: Tensor) -> Tensor:
    """(P,) bool -> (P,P) bool: pairs of two different real points."""
    different = ~torch.eye(len(real), dtype=torch.bool, device=real.device)
    return real[:, None] & real & different


def mean_where(x: Tensor, weight: Tensor) -> Tensor:
    """() weighted mean of all entries; zero where nothing has weight."""
    weight = weight.to(x.dtype)
    return (x * weight).sum() / weight.sum().clamp(min=1e-12)
