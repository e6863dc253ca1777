"""Tokens of all modalities side by side: pooled to few, padded to one number, and their positions."""

from math import ceil, log

import torch
import torch.nn.functional as F
from torch import Tensor

from mmbench import Encoded, Inputs


def pool(tokens: Tensor, mask: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Masked means of equally many neighbouring tokens each, so that at most ``most`` are left.

    Shapes:
        (B,T,d), (B,T) bool -> (B,T',d), (B,T') bool, T' = ⌈T/n⌉ with n = ⌈T/most⌉.
    """
    rows, steps, width = tokens.shape
    each = ceil(steps / most)
    if each == 1:
        return tokens, mask
    spare = -steps % each
    grouped = F.pad(tokens, (0, 0, 0, spare)).reshape(rows, -1, each, width)
    weight = F.pad(mask, (0, spare)).reshape(rows, -1, each)
    mean = torch.einsum("btnd,btn->btd", grouped, weight.to(tokens.dtype))
    count = weight.sum(-1)
    return mean / count.clamp(min=1)[..., None], count > 0


def aligned(encoded: Encoded, inputs: Inputs, most: int) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens of all modalities, and which of them there are.

    A modality that is absent has one token, its learned missing token, as a target; as a source it has none.

    Args:
        encoded: of M modalities.
        inputs: that were encoded.
        most: tokens that a modality may have.

    Returns:
        (M,B,T,d) tokens; (M,B,T) bool where they are targets' tokens; (M,B,T) bool where sources'.
    """
    pooled = [pool(tokens, encoded.masks[name], most) for name, tokens in encoded.tokens.items()]
    steps = max(mask.shape[1] for _, mask in pooled)
    tokens = torch.stack([F.pad(x, (0, 0, 0, steps - x.shape[1])) for x, _ in pooled])
    real = torch.stack([F.pad(mask, (0, steps - mask.shape[1])) for _, mask in pooled])
    here = inputs.present.T[..., None]
    first = torch.arange(steps, device=real.device) == 0
    missing = encoded.stack().transpose(0, 1)[:, :, None] * first[:, None]  # where absent; the vector elsewhere
    return torch.where(here[..., None], tokens, missing), torch.where(here, real, first), real


def positions(steps: int, width: int) -> Tensor:
    """(T,d): sines and cosines of the position, wavelengths from 2π to 20000π (Vaswani et al. 2017)."""
    half = (width + 1) // 2
    rates = torch.exp(torch.arange(half) * (-log(10000) / max(half - 1, 1)))
    angles = torch.arange(steps)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1)[:, :width]


def readout(x: Tensor, real: Tensor, timed: Tensor) -> Tensor:
    """The last token where tokens are in time, their mean where they are not.

    Shapes:
        (M,B,T,d), (M,B,T) bool, (M,) bool -> (B,M,d).
    """
    last = real & ~F.pad(real[..., 1:], (0, 1))
    weight = torch.where(timed[:, None, None], last, real).to(x.dtype)
    weight = weight / weight.sum(-1, keepdim=True)
    return torch.einsum("mbtd,mbt->bmd", x, weight)
