"""Opinions over C classes, kept as evidence; their combination and their loss.

Evidence e ≥ 0 (…,C) is a Dirichlet distribution with α = e + 1, and an opinion with belief b = e/S and uncertainty
u = C/S, where S = Σα; so Σb + u = 1. No evidence is the vacuous opinion, u = 1.
"""

import torch
from torch import Tensor


def combine(evidence: Tensor) -> Tensor:
    """Dempster's rule over M opinions: (…,M,C) -> (…,C) evidence.

    For two opinions with the conflict K = Σ_{i≠j} b¹_i b²_j (Han et al. 2021, arXiv:2102.02051)

        b_k = (b¹_k b²_k + b¹_k u² + b²_k u¹) / (1 − K),   u = u¹u² / (1 − K).

    The numerators are (b¹_k + u¹)(b²_k + u²) − u¹u² and u¹u², so that with (b + u)/u = 1 + e/C the conflict cancels:

        1 + e_k/C = Π_m (1 + e^m_k/C).

    This is the rule for any M at once, in any order, without the division by 1 − K, which vanishes as conflict grows.
    """
    classes = evidence.shape[-1]
    return classes * torch.expm1(torch.log1p(evidence / classes).sum(-2))


def evidential_loss(evidence: Tensor, target: Tensor, annealing: Tensor) -> Tensor:
    """Σ_k y_k (ψ(S) − ψ(α_k)) + λ KL(Dir(α̃) ‖ Dir(1)), α̃ = y + (1 − y) ⊙ α (Han et al. 2021).

    The first part is the mean cross-entropy under Dir(α); the second takes away evidence for wrong classes.

    Args:
        evidence: (…,C).
        target: y, one-hot or a distribution; broadcasts to it.
        annealing: () λ.

    Returns:
        (…) losses.
    """
    alpha = evidence + 1
    fit = (target * (torch.digamma(alpha.sum(-1, keepdim=True)) - torch.digamma(alpha))).sum(-1)
    return fit + annealing * divergence_from_uniform(target + (1 - target) * alpha)


def divergence_from_uniform(alpha: Tensor) -> Tensor:
    """KL(Dir(α) ‖ Dir(1)): (…,C) -> (…)."""
    total = alpha.sum(-1)
    surplus = (alpha - 1) * (torch.digamma(alpha) - torch.digamma(total)[..., None])
    classes = torch.full_like(total, alpha.shape[-1])
    return torch.lgamma(total) - torch.lgamma(alpha).sum(-1) - torch.lgamma(classes) + surplus.sum(-1)
