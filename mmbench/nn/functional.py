"""Functions shared by models: masked statistics, attention, gradient routing, targets and priors.

All of them work under ``vmap``: masks instead of selection, nothing read back to the host.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from mmbench.core.task import BERNOULLI, Task


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean of (B,T,d) over the true entries of (B,T); zero where there is none. -> (B,d)."""
    weight = mask.to(x.dtype)
    return (x * weight[..., None]).sum(-2) / weight.sum(-1, keepdim=True).clamp(min=1)


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, heads: int = 1) -> Tensor:
    """Scaled dot-product attention of (B,Q,d) over (B,T,d), keys masked by (B,T) bool. -> (B,Q,d).

    d is split evenly among the heads. A row without any key attends to nothing and gives zeros.
    """

    def split(x: Tensor) -> Tensor:  # (B,T,d) -> (B,heads,T,d/heads)
        return x.reshape(*x.shape[:-1], heads, -1).transpose(-2, -3)

    if mask is None:
        out = F.scaled_dot_product_attention(split(q), split(k), split(v))
        return out.transpose(-2, -3).flatten(-2)
    any_key = mask.any(-1)
    allowed = mask | ~any_key[..., None]  # a row of nothing would be NaN: let it look, then blank it
    out = F.scaled_dot_product_attention(split(q), split(k), split(v), attn_mask=allowed[..., None, None, :])
    return out.transpose(-2, -3).flatten(-2) * any_key[..., None, None].to(q.dtype)


def frozen(module: nn.Module, *args: Any) -> Any:
    """``module(*args)`` with gradients to the arguments but none to the module's parameters."""
    state = {name: p.detach() for name, p in module.named_parameters()}
    return functional_call(module, state, args)


def scale_gradient(x: Tensor, k: float | Tensor) -> Tensor:
    """Identity whose gradient is multiplied by ``k``; a negative one reverses it (DANN)."""
    fixed = x.detach()
    return fixed + (x - fixed) * k


def probabilities(task: Task, logits: Tensor) -> Tensor:
    """Logits (…,K) as what ``predict`` gives: class or label probabilities; values in regression."""
    if task.kind == "classification":
        return logits.softmax(-1)
    return logits.sigmoid() if task.kind in BERNOULLI else logits


def log_probabilities(task: Task, logits: Tensor) -> Tensor:
    """Log of ``probabilities``, computed stably; classification and Bernoulli tasks alone."""
    return logits.log_softmax(-1) if task.kind == "classification" else F.logsigmoid(logits)


def prior(task: Task, target: Tensor) -> Tensor:
    """(K,) logits of the frequencies in ``target`` (the mean in regression).

    A class that never occurs counts as half a sample, so that its logit is finite.
    """
    if task.kind == "classification":
        counts = torch.bincount(target, minlength=task.outputs).clamp(min=0.5)
        return (counts / counts.sum()).log()
    if task.kind in BERNOULLI:
        half = 0.5 / len(target)
        return target.mean(0).clamp(half, 1 - half).logit()
    return target.mean(0)
