"""What noise must cost on the PID datasets whose target is one bit in two views.

The bit r = ±1 is seen as z = μr + e, e ~ N(0, C). Who knows C (*aware*) has the accuracy Φ(√(μᵀC⁻¹μ)); who
decides by weights w that were best before the noise (*unaware*) has Φ(wᵀμ/√(wᵀCw)); both with the usual
shift of the threshold where r is not balanced.

Noise of deviation s on *standardised* coordinates x_j/d_j is noise of deviation s·d_j on raw ones. View m is
x_m = Q_m z_m with z_m = (δ ⊙ bits + ε, ν), so d_j² = 1 + Σ_k δ_k² Q_jk², and in the coordinates z_m the noise
has the covariance s² Q_mᵀ diag(d²) Q_m: larger than s² by the bits' own variance, and not isotropic.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from math import log, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmbench.measures.robustness.corruptions.values import NOISE
from mmbench.measures.robustness.curves import JOINT
from mmbench.measures.subject import Plain, Table

Array = NDArray[np.float64]
phi = NormalDist().cdf

# δ of the leading coordinates r, u_m, s_m of each view. In "redundant" both show the same noisy r.
STRENGTHS = {
    "pid-redundant": ((1.2, 1.5, 1.5), (1.2, 1.0, 1.2)),
    "pid-complementary": ((1.2, 1.5, 1.5), (0.8, 1.0, 1.2)),
}
SHARED = "pid-redundant"


def accuracy(slope: float, deviation: float, prior: float = 0.5) -> float:
    """Of the rule t + Λ/2 > 0, Λ = log(π/(1-π)), where t ~ N(±slope, deviation²) and π = ``prior``."""
    shift = log(prior / (1 - prior)) / 2
    return prior * phi((slope + shift) / deviation) + (1 - prior) * phi((slope - shift) / deviation)


def aware(mean: Array, covariance: Array, prior: float = 0.5) -> float:
    """Best accuracy on a bit ±1 seen as N(±mean (n,), covariance (n,n))."""
    squared = float(mean @ np.linalg.solve(covariance, mean))
    return accuracy(squared, sqrt(squared), prior)


def unaware(mean: Array, covariance: Array, weights: Array, prior: float = 0.5) -> float:
    """Accuracy on the same bit of who takes 2·weights·z + Λ for its log-odds."""
    return accuracy(float(weights @ mean), sqrt(float(weights @ covariance @ weights)), prior)


class Views:
    """Two views of a bit, as ``mmbench.data.embedded.pid`` makes them.

    Args:
        dataset: one of ``STRENGTHS``.
        delta, dim, missing, prior, label_noise, seed: its parameters.
    """

    def __init__(
        self,
        dataset: str,
        *,
        delta: float | None = None,
        dim: int = 32,
        missing: float = 0.0,
        prior: float = 0.5,
        label_noise: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.shared = dataset == SHARED
        self.missing, self.prior, self.label_noise = missing, prior, label_noise
        self.strengths: Array = np.array(STRENGTHS[dataset])
        if delta is not None:
            self.strengths[:, 0] = delta
        bits = np.array([4 * prior * (1 - prior), 1, 1])  # their variances
        self.noise = [
            _in_coordinates(basis, 1 + np.square(basis[:, :3]) @ (np.square(strengths) * bits))
            for basis, strengths in zip(_bases(seed, dim), self.strengths, strict=True)
        ]  # covariances, in the coordinates z_m, of noise of deviation 1 on standardised inputs

    def expected(self, noise: Sequence[float]) -> tuple[float, float]:
        """Accuracy, aware and unaware, under noise of these deviations on the two standardised views."""
        found = np.zeros(2)
        for here in product((False, True), repeat=2):
            chance = float(np.prod([1 - self.missing if one else self.missing for one in here]))
            if chance:
                found += chance * np.array(self._given([m for m in (0, 1) if here[m]], noise))
        known, unknown = (1 - self.label_noise) * found + self.label_noise * (1 - found)
        return float(known), float(unknown)

    def _given(self, present: list[int], noise: Sequence[float]) -> tuple[float, float]:
        """The same where some views are present, and labels right."""
        if not present:
            guess = max(self.prior, 1 - self.prior)
            return guess, guess
        mean, covariance = self._seen(present, noise)
        bit = np.arange(len(present)) * len(self.noise[0])  # where r stands
        weights = np.zeros_like(mean)
        weights[bit] = mean[bit] / (len(present) if self.shared else 1)
        guess = unaware(mean, covariance, weights, self.prior)
        if self.shared and min(noise[m] for m in present) == 0:  # the clean view says all
            strength = float(self.strengths[0, 0])
            return accuracy(strength**2, strength, self.prior), guess
        return aware(mean, covariance, self.prior), guess

    def _seen(self, present: list[int], noise: Sequence[float]) -> tuple[Array, Array]:
        """Mean and covariance of all coordinates of the present views, the other bits known."""
        dim = len(self.noise[0])
        mean, covariance = np.zeros(len(present) * dim), np.eye(len(present) * dim)
        for i, m in enumerate(present):
            mine = slice(i * dim, (i + 1) * dim)
            mean[i * dim] = self.strengths[m, 0]
            covariance[mine, mine] += noise[m] ** 2 * self.noise[m]
        if self.shared and len(present) == 2:
            covariance[0, dim] = covariance[dim, 0] = 1
        return mean, covariance


def predicted(dataset: str, parameters: Mapping[str, object], names: Sequence[str], levels: Sequence[float]) -> Table:
    """Expected accuracy under the corruption ``noise``: columns modality, level, aware, unaware.

    *Aware* lets the other bits be known, which the noise, not being isotropic, mixes in with r: it bounds the
    best possible from above, at the default strengths by less than 1e-4. *Unaware* is the dataset's own
    posterior on the noisy inputs; where both views show the same number, it takes their mean. Standard
    deviations are the population's; those of the train split differ from them by chance.

    Args:
        dataset: one of ``STRENGTHS``.
        parameters: of the dataset that differ from its default.
        names: of its two modalities.
        levels: above 0.
    """
    theirs = ("delta", "dim", "missing", "prior", "label_noise", "seed")
    given: dict[str, Any] = {name: parameters[name] for name in theirs if name in parameters}
    views = Views(dataset, **given)
    rows: list[tuple[Plain, ...]] = [("", 0.0, *views.expected((0, 0)))]
    for struck, modality in (((1, 0), names[0]), ((0, 1), names[1]), ((1, 1), JOINT)):
        for level in levels:
            rows.append((modality, level, *views.expected([NOISE * level * one for one in struck])))
    columns = zip(*rows, strict=True)
    return dict(zip(("modality", "level", "aware", "unaware"), map(_rounded, columns), strict=True))


def _rounded(column: Sequence[Plain]) -> list[Plain]:
    return [float(f"{x:.5g}") if isinstance(x, float) else x for x in column]


def _bases(seed: int, dim: int) -> Array:
    """(2,dim,dim): Q_m, drawn as ``mmbench.data.embedded`` draws them."""
    q, r = np.linalg.qr(np.random.default_rng([seed, *b"bases"]).standard_normal((2, dim, dim)))
    return np.asarray(q * np.sign(np.einsum("mii->mi", r))[:, None], dtype=np.float64)


def _in_coordinates(basis: Array, variances: Array) -> Array:
    """Qᵀ diag(variances) Q."""
    return np.asarray((basis.T * variances) @ basis, dtype=np.float64)
