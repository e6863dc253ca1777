"""Tokens of each modality, few enough for attention among all of them."""

from math import ceil

import torch
import torch.nn.functional as F
from torch import Tensor

from mmbench import Encoded, masked_mean


def shorten(tokens: Tensor, mask: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Means of k neighbours, k the least with which at most ``most`` tokens are left.

    Neighbours follow each other in time, or in a map's rows; masked ones do not count.

    Shapes:
        (B,T,d), (B,T) bool -> (B,⌈T/k⌉,d), (B,⌈T/k⌉) bool: where there was any.
    """
    steps = tokens.shape[1]
    group = ceil(steps / most)
    if group == 1:
        return tokens, mask
    padding = -steps % group
    tokens = F.pad(tokens, (0, 0, 0, padding)).reshape(len(tokens), -1, group, tokens.shape[-1])
    mask = F.pad(mask, (0, padding)).reshape(len(mask), -1, group)
    return masked_mean(tokens, mask), mask.any(-1)


def shortened(encoded: Encoded, most: int) -> tuple[list[Tensor], list[Tensor]]:
    """M x (B,T_m,d) and M x (B,T_m) bool, in the task's order."""
    pairs = [shorten(encoded.tokens[name], encoded.masks[name], most) for name in encoded.tokens]
    return [tokens for tokens, _ in pairs], [mask for _, mask in pairs]


def without(each: list[Tensor], m: int) -> Tensor:
    """All but the m-th, joined along their second axis."""
    return torch.cat(each[:m] + each[m + 1 :], 1)
