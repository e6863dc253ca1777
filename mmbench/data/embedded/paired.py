"""Pairs that belong together against shuffled ones: anomaly detection that needs both views.

Of a matched pair, view m holds √ρ c + √(1-ρ) n_m in its first k coordinates, with c common to both;
of a shuffled pair, each view has a c of its own. The other coordinates are noise, and a seeded
orthogonal matrix rotates each view. A view alone is N(0, I) in both cases: it says nothing.
"""

from functools import cache
from math import log, sqrt
from typing import Annotated

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from mmbench.core.errors import MmbenchError
from mmbench.core.parameters import Range
from mmbench.data.draws import Array, Columns, Rows, Seed, rounded, stream
from mmbench.data.embedded import tasks
from mmbench.data.embedded._draws import draw_splits, latents_of, rotate
from mmbench.data.source import Source
from mmbench.nn.records import Inputs

Correlation = Annotated[float, Range(0.05, 0.99)]
CEILING_PAIRS = 500_000


def build(
    *,
    rho: Correlation = 0.72,
    shared: Annotated[int, Range(1, 256)] = 4,
    dim: Annotated[int, Range(1, 256)] = 8,
    n_train: Rows = 10_000,
    n_validation: Rows = 2_000,
    n_test: Rows = 5_000,
    seed: Seed = 0,
) -> Source:
    """The dataset; half the rows of each split, in random order, are shuffled pairs (target 1).

    Args:
        rho: correlation ρ of the views in each of the shared coordinates.
        shared: k, the coordinates that a matched pair shares.
        dim: of each view.
        n_train, n_validation, n_test: rows.
        seed: of the data.

    Raises:
        MmbenchError: if there are more shared coordinates than coordinates.
    """
    if shared > dim:
        raise MmbenchError(f"paired: {shared} shared coordinates do not fit in views of {dim}: raise dim to {shared}")
    task = tasks.paired(dim)

    def draw(rng: Generator, rows: int) -> Columns:
        shuffled = rng.permutation(np.arange(rows) % 2)
        views = rotate(_latents(rng, shuffled == 1, rho, shared, dim), seed)
        columns: Columns = {name: rounded(views[:, m]) for m, name in enumerate(task.names)}
        return columns | {"target": shuffled[:, None].astype(np.float32)}

    splits = draw_splits("paired", task, seed, (n_train, n_validation, n_test), draw)
    return Source(task, splits, ceiling=_ceiling(rho, shared))


def posterior(inputs: Inputs, *, rho: Correlation = 0.72, shared: int = 4, seed: Seed = 0, **others: object) -> Tensor:
    """P(shuffled | x) of raw inputs, ½ where a view is absent. -> (N,1) float64.

    Args:
        inputs: N rows.
        rho, shared, seed: as in ``build``.
        others: parameters of ``build`` on which it does not depend.
    """
    evidence = _log_ratio(latents_of(inputs, seed, shared), rho)
    both = inputs.present.all(1)
    return torch.where(both, evidence.sigmoid(), 0.5)[:, None]


def _latents(rng: Generator, shuffled: NDArray[np.bool_], rho: float, k: int, dim: int) -> Array:
    """Coordinates before the rotation, (N,2,dim)."""
    latents = rng.standard_normal((len(shuffled), 2, dim))
    common = rng.standard_normal((len(shuffled), 2, k))
    common[~shuffled, 1] = common[~shuffled, 0]
    latents[:, :, :k] = sqrt(rho) * common + sqrt(1 - rho) * latents[:, :, :k]
    return latents


def _log_ratio(z: Tensor, rho: float) -> Tensor:
    """Log-likelihood ratio of shuffled against matched, (N,2,k) -> (N,): per coordinate with values
    a, b it is ½log(1-ρ²) + [ρ²(a²+b²) - 2ρab] / 2(1-ρ²)."""
    a, b = z.unbind(1)
    rest = 1 - rho**2
    return (log(rest) / 2 + (rho**2 * (a**2 + b**2) - 2 * rho * a * b) / (2 * rest)).sum(-1)


@cache
def _ceiling(rho: float, shared: int) -> float:
    """AUROC of the likelihood ratio, which no score can beat (Neyman-Pearson), from draws with a
    standard error below 6e-4."""
    shuffled = np.arange(2 * CEILING_PAIRS) % 2 == 1
    ratio = _log_ratio(torch.from_numpy(_latents(stream(0, "ceiling"), shuffled, rho, shared, shared)), rho).numpy()
    ranks = np.empty(len(ratio))
    ranks[ratio.argsort()] = np.arange(len(ratio))
    wins = ranks[shuffled].sum() - CEILING_PAIRS * (CEILING_PAIRS - 1) / 2
    return float(wins / CEILING_PAIRS**2)
