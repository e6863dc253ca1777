"""The ridge map: the best linear translation of one modality's encoding into another's."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import RidgeCV

from mmbench.measures.matching.similarity import deviation
from mmbench.measures.subject import Array

STRENGTHS = tuple(10.0**power for power in range(-6, 2))  # of the mean eigenvalue of the source's covariance


@dataclass(frozen=True)
class RidgeMap:
    """z -> target + (z − source)·weights.

    Attributes:
        source, target: (d,) and (e,), means of the rows it was fitted on.
        weights: (d,e).
        strength: of the ridge, in mean eigenvalues of the source's covariance.
    """

    source: Array
    target: Array
    weights: Array
    strength: float

    def centred(self, z: Array) -> Array:
        """(N,e), the target's mean being the origin."""
        return deviation(z, self.source) @ self.weights

    def __call__(self, z: Array) -> Array:
        """(N,e)."""
        return self.target + self.centred(z)


def ridge_map(source: Array, target: Array) -> RidgeMap:
    """The map fitted on rows (N,d) and (N,e), its strength chosen by leave-one-out error on these rows.

    The strength is relative, so that units do not matter. A constant source maps to the target's mean.
    """
    means = source.mean(0), target.mean(0)
    x, y = (deviation(z, mean) for z, mean in zip((source, target), means, strict=True))
    eigenvalue = np.square(x).sum() / x.shape[1]
    if not eigenvalue > 0:
        return RidgeMap(*means, np.zeros((x.shape[1], y.shape[1])), STRENGTHS[-1])
    fitted = RidgeCV([eigenvalue * strength for strength in STRENGTHS], fit_intercept=False).fit(x, y)
    return RidgeMap(*means, fitted.coef_.reshape(y.shape[1], x.shape[1]).T, float(fitted.alpha_ / eigenvalue))
