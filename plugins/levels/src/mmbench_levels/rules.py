"""Combination rules: from one distribution a modality to one (Kittler et al. 1998, 10.1109/34.667881).

All work on log-probabilities (B,M,K), or (B,M,K,2) for Bernoulli outputs, each of which is a
distribution over {0,1}, and on (B,M) bool: which modalities are present. One at least is.
"""

from typing import Literal

import torch
from torch import Tensor

from mmbench import BERNOULLI, Task, log_probabilities

Rule = Literal["mean", "weighted", "max", "vote", "product"]


def combine(task: Task, rule: Rule, unimodal: Tensor, present: Tensor, weights: Tensor, prior: Tensor) -> Tensor:
    """The fused prediction of unimodal ones.

    Args:
        task: whose logits they are.
        rule: to combine by; in regression ``mean`` or ``weighted``.
        unimodal: (B,M,K) logits, or values.
        present: (B,M) bool.
        weights: (M,) of ``mean`` (uniform) and ``weighted``.
        prior: (K,) logits, for ``product``.

    Returns:
        (B,K) logits, or values.
    """
    if task.kind == "regression":
        shares = log_shares(present, weights).exp()
        return (shares[..., None] * unimodal).sum(1)
    log_p = outcomes(task, unimodal)
    if rule == "max":
        fused = largest(log_p, present)
    elif rule == "vote":
        fused = vote(log_p, present)
    elif rule == "product":
        fused = product(log_p, present, outcomes(task, prior))
    else:
        fused = mixture(log_p, present, weights)
    return fused[..., 1] - fused[..., 0] if task.kind in BERNOULLI else fused


def outcomes(task: Task, logits: Tensor) -> Tensor:
    """Log-probabilities of every outcome: (…,K) -> (…,K), or (…,K,2) of 0 and 1 for Bernoulli tasks."""
    if task.kind in BERNOULLI:
        return torch.stack([log_probabilities(task, -logits), log_probabilities(task, logits)], -1)
    return log_probabilities(task, logits)


def log_shares(present: Tensor, weights: Tensor) -> Tensor:
    """(B,M) log of the weights, renormalised over the modalities present; −∞ for the others.

    A weight below 1e-6 counts as that, so that a row with no other modality has an answer.
    """
    log_weights = torch.where(present, weights.clamp(min=1e-6).log(), -torch.inf)
    return log_weights - log_weights.logsumexp(-1, keepdim=True)


def mixture(log_p: Tensor, present: Tensor, weights: Tensor) -> Tensor:
    """log Σ_m w_m p_m: the weighted mean of probabilities. (B,M,…) -> (B,…)."""
    return (log_p + _trailing(log_shares(present, weights), log_p)).logsumexp(1)


def largest(log_p: Tensor, present: Tensor) -> Tensor:
    """log of max_m p_m / Σ_y max_m p_m(y). (B,M,…) -> (B,…)."""
    return torch.where(_trailing(present, log_p), log_p, -torch.inf).amax(1).log_softmax(-1)


def vote(log_p: Tensor, present: Tensor) -> Tensor:
    """log of (v + p̄)/(M+1), v(y) the number of modalities that think y most probable, p̄ their mean.

    Σ_y v = M, so this is a distribution. Since p̄ differs by at most 1 between outcomes, and by 1
    only if all vote alike, it decides ties alone: the order is that of the votes, then of p̄.
    (B,M,…) -> (B,…).
    """
    here = _trailing(present, log_p).to(log_p.dtype)
    choice = log_p.argmax(-1, keepdim=True) == torch.arange(log_p.shape[-1], device=log_p.device)
    votes = (choice.to(log_p.dtype) * here).sum(1)
    mean = (log_p.exp() * here).sum(1) / here.sum(1)
    return (votes + mean).log() - (here.sum(1) + 1).log()


def product(log_p: Tensor, present: Tensor, log_prior: Tensor) -> Tensor:
    """log p(y) ^ (1−M) Π_m p_m(y), normalised; M counts the modalities present.

    Exact if modalities are independent given y: p(y|x_1…x_M) ∝ p(y) Π p(x_m|y) ∝ p(y) Π p(y|x_m)/p(y).
    (B,M,…) and (…) -> (B,…).
    """
    ratios = torch.where(_trailing(present, log_p), log_p - log_prior, 0.0)
    return (log_prior + ratios.sum(1)).log_softmax(-1)


def _trailing(x: Tensor, like: Tensor) -> Tensor:
    """x with axes of size 1 added at its end, to the rank of ``like``."""
    return x.reshape(*x.shape, *[1] * (like.dim() - x.dim()))
