"""Joint attention: one affinity between the tokens of all modalities, read in both directions."""

from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmbench import FusionModel, FusionOutput, Head, Inputs, ModalityEncoders, Range, Task
from mmbench_bitower.tokens import shortened


def affinity(h: Tensor, weight: Tensor, modality: Tensor) -> Tensor:
    """A = tanh(H_m W H_nᵀ) between tokens of modalities m < n, and its transpose between n and m.

    Args:
        h: (B,N,d) tokens of all modalities.
        weight: (d,d) W.
        modality: (N,) long, of each token.

    Returns:
        (B,N,N); symmetric, but for tokens of one modality, whose entries nobody reads.
    """
    scores = h @ weight @ h.transpose(-1, -2)
    forward = modality[:, None] <= modality
    return torch.where(forward, scores, scores.transpose(-1, -2)).tanh()


def attend(affinity: Tensor, mask: Tensor, modality: Tensor) -> Tensor:
    """Each token's weights over the real tokens of the other modalities and a sentinel of affinity zero.

    Args:
        affinity: (B,N,N).
        mask: (B,N) bool.
        modality: (N,) long.

    Returns:
        (B,N,N); 1 − its row sums is what the sentinel gets.
    """
    allowed = mask[:, None, :] & (modality[:, None] != modality)
    scores = affinity.masked_fill(~allowed, -torch.inf)
    return F.pad(scores, (0, 1)).softmax(-1)[..., :-1]


class JointAttention(FusionModel):
    """ŷ = head([h_1 ‖ g_1 ‖ … ‖ h_M ‖ g_M]), g_m the mean over m's tokens of what they attend to in the others.

    A = tanh(H_1 W H_2ᵀ) is computed once and normalised in both directions: over the columns for the tokens of
    modality 1, over the rows for those of modality 2 (co-attention, after Xiong et al. 2017,
    arXiv:1611.01604, with their sentinel as a token of zeros that is always there). With more than two modalities
    all pairs share W, and each modality attends to all tokens of the rest at once. h_m is the mean of
    modality m's tokens, or a learned missing token where m is absent. With one modality ŷ = head(h_1).

    Args:
        task: to be done.
        tokens: at most so many a modality; of longer ones neighbours are averaged.
        width: d.
        hidden: width of the head's hidden layer, 0 for none.
    """

    weight: nn.Parameter | None

    def __init__(
        self,
        task: Task,
        *,
        tokens: Annotated[int, Range(4, 128, log=True)] = 32,
        width: Annotated[int, Range(8, 512, log=True)] = 64,
        hidden: Annotated[int, Range(0, 512)] = 64,
    ) -> None:
        super().__init__()
        self.tokens, count = tokens, len(task.modalities)
        self.encode = ModalityEncoders(task, width)
        # affinities of about 1 for tokens of unit variance: tanh is not saturated at the start
        self.weight = nn.Parameter(torch.randn(width, width) / width) if count > 1 else None
        self.head = Head(task, width * count * (2 if count > 1 else 1), hidden)

    def forward(self, inputs: Inputs) -> FusionOutput:
        encoded = self.encode(inputs)
        fused = encoded.concat()
        if self.weight is not None:
            tokens, masks = shortened(encoded, self.tokens)
            attended = self._attended(tokens, masks, self.weight)
            fused = torch.cat([encoded.stack(), attended], -1).flatten(1)
        return FusionOutput(prediction=self.head(fused), embeddings=encoded.vectors, fused=fused)

    def _attended(self, tokens: list[Tensor], masks: list[Tensor], weight: Tensor) -> Tensor:
        """(B,M,d): g."""
        h, mask = torch.cat(tokens, 1), torch.cat(masks, 1)
        modality = torch.cat([torch.full((x.shape[1],), m, device=h.device) for m, x in enumerate(tokens)])
        weights = attend(affinity(h, weight, modality), mask, modality)
        mine = modality == torch.arange(len(tokens), device=h.device)[:, None]
        share = (mine & mask[:, None, :]).to(h.dtype)
        share = share / share.sum(-1, keepdim=True).clamp(min=1)
        return share @ weights @ h  # means of weights first: they are smaller than means of tokens
