"""Where unit encodings lie on the sphere: alignment, uniformity (Wang & Isola 2020) and modality gap
(Liang et al. 2022). Rows are of length 1, or zero where an encoding has no direction."""

import numpy as np

from mmbench.measures.subject import Array


def alignment(first: Array, second: Array) -> float:
    """E‖z¹ − z²‖² of pairs (N,d): 0 where they are identical, 4 where they are opposite."""
    return float(np.square(first - second).sum(1).mean())


def unpaired_alignment(first: Array, second: Array) -> float:
    """E‖z¹_i − z²_j‖² over all i ≠ j: what alignment is without any matching."""
    n = len(first)
    squares = np.square(first).sum() / n + np.square(second).sum() / n
    unpaired = first.sum(0) @ second.sum(0) - (first * second).sum()
    return float(squares - 2 * unpaired / (n * (n - 1)))


def uniformity(z: Array) -> float:
    """log E_{i≠j} e^{−2‖z_i − z_j‖²} of (N,d): 0 for a single point, lower the more evenly they spread."""
    n, squares = len(z), np.square(z).sum(1)
    exponent = z @ z.T
    exponent *= 4
    exponent -= 2 * squares
    exponent -= 2 * squares[:, None]
    np.exp(exponent, out=exponent)
    np.fill_diagonal(exponent, 0.0)
    return float(min(np.log(exponent.sum() / (n * (n - 1))), 0.0))


def modality_gap(first: Array, second: Array) -> float:
    """‖mean z¹ − mean z²‖ of (N,d): 0 where the modalities share a centre."""
    return float(np.linalg.norm(first.mean(0) - second.mean(0)))
