"""Five bits in two vectors, whose sharing is known: redundant, complementary, unique, synergistic.

Independent bits ±1: r (in both views), u1, u2 (in one each), s1, s2 (in one each). View m is

    x_m = Q_m [δ_m ⊙ (r, u_m, s_m) + ε_m ; ν_m],    ε_m, ν_m ~ N(0, I),

with Q_m a seeded orthogonal matrix, so that three coordinates of Q_mᵀ x_m are sufficient and every
posterior is exact. The target is r, u1, or the product s1·s2; or all of r, u1, u2, s1·s2. The words
are those of partial information decomposition (Williams and Beer 2010, arXiv:1004.2515).
"""

from dataclasses import dataclass
from itertools import product
from math import hypot, log, prod
from statistics import NormalDist
from typing import Annotated, Any, TypeVar

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
from mmbench.data.embedded.tasks import Component
from mmbench.data.source import Source
from mmbench.nn.records import Inputs

Delta = Annotated[float | None, Range(0.05, 10)]
Prior = Annotated[float, Range(0.01, 0.99)]
Flips = Annotated[float, Range(0, 0.49)]

R, U, S = 0, 1, 2  # a view's coordinates
STRENGTHS = ((1.2, 1.5, 1.5), (0.8, 1.0, 1.2))  # δ of r, u_m, s_m in each view
TARGETS = {"redundant": (0,), "complementary": (0,), "unique": (1,), "synergy": (3,)}  # among r, u1, u2, s1·s2
CEILING_DRAWS = 2_000_000
phi = NormalDist().cdf
Chance = TypeVar("Chance", float, Tensor)


def build(
    *,
    component: Component = "synergy",
    delta: Delta = None,
    dim: Annotated[int, Range(3, 1024)] = 32,
    missing: Annotated[float, Range(0, 0.9)] = 0.0,
    prior: Prior = 0.5,
    label_noise: Flips = 0.0,
    n_train: Rows = 10_000,
    n_validation: Rows = 2_000,
    n_test: Rows = 5_000,
    seed: Seed = 0,
) -> Source:
    """The dataset and its exact ceiling.

    Args:
        component: the target: ``redundant`` (r, with one noise common to both views),
            ``complementary`` (r, with independent noises), ``unique`` (u1), ``synergy`` (s1·s2),
            ``mixed`` (16 classes, 8r+4u1+2u2+s1·s2 with each bit as 0/1), ``bits`` (those as labels).
        delta: strength δ of the target's coordinates, the same in both views; None is the default.
        dim: of each view.
        missing: chance that a view is absent, each independently, in all splits; a row may lose both.
        prior: P(target = +1).
        label_noise: chance that a label is replaced by another one, in all splits.
        n_train, n_validation, n_test: rows.
        seed: of the data.

    Raises:
        MmbenchError: for ``delta`` or ``prior`` with several targets.
    """
    model = _model(component, delta, prior, label_noise)
    task = tasks.pid(component, dim)

    def draw(rng: Generator, rows: int) -> Columns:
        bits, views = _views(model, rng, rows, dim, seed)
        columns: Columns = {"target": _labels(model, rng, bits)}
        present = rng.random((rows, 2)) >= missing
        columns |= {name: rounded(views[:, m] * present[:, [m]]) for m, name in enumerate(task.names)}
        return columns | {"present": present} if missing else columns

    splits = draw_splits(f"pid-{component}", task, seed, (n_train, n_validation, n_test), draw)
    return Source(task, splits, ceiling=_ceiling(model, missing))


def posterior(
    inputs: Inputs,
    *,
    component: Component = "synergy",
    delta: Delta = None,
    prior: Prior = 0.5,
    label_noise: Flips = 0.0,
    seed: Seed = 0,
    **others: object,
) -> Tensor:
    """p(y | x) of raw inputs, absent views integrated out. -> (N,K) float64.

    With z the coordinates and Λ = log(prior/(1-prior)), the log-odds are 2(δ₁z₁+δ₂z₂)+Λ for r,
    2δz+Λ for u, and log[(1+t)/(1-t)]+Λ with t = tanh(δ₁z₁)tanh(δ₂z₂) for s1·s2.

    Args:
        inputs: N rows.
        component, delta, prior, label_noise, seed: as in ``build``.
        others: parameters of ``build`` on which p(y | x) does not depend.
    """
    model = _model(component, delta, prior, label_noise)
    half = latents_of(inputs, seed, 3) * torch.from_numpy(model.deltas)  # half log-odds of each bit
    shared = half[..., R].sum(1)
    if component == "redundant":  # both views show the same number: it counts once
        shared = shared / inputs.present.sum(1).clamp(min=1)
    log_odds = torch.stack(
        [2 * shared, 2 * half[:, 0, U], 2 * half[:, 1, U], _xor_log_odds(half[:, 0, S], half[:, 1, S])], 1
    )
    p = (log_odds[:, model.targets] + model.prior_log_odds).sigmoid()
    if component == "bits":
        return _noisy(p, label_noise, 2)
    joint = p.new_ones(len(p), 1)
    for one in p.unbind(1):
        joint = (joint[:, :, None] * torch.stack([1 - one, one], 1)[:, None]).flatten(1)
    return _noisy(joint, label_noise, joint.shape[1])


@dataclass(frozen=True)
class _Model:
    """What p(x, y) depends on: deltas (2,3) of r, u_m, s_m in each view; targets among r, u1, u2, s1·s2."""

    component: Component
    deltas: Array
    targets: tuple[int, ...]
    prior: float
    label_noise: float

    @property
    def prior_log_odds(self) -> float:
        return log(self.prior / (1 - self.prior))


def _model(component: Component, delta: float | None, prior: float, label_noise: float) -> _Model:
    if component not in TARGETS:
        for name, given in (("delta", delta is not None), ("prior", prior != 0.5)):
            if given:
                raise MmbenchError(
                    f"pid-{component} has four targets, and {name} is for one: leave {name} out, "
                    f"or take one of {', '.join(f'pid-{single}' for single in TARGETS)}"
                )
        return _Model(component, np.array(STRENGTHS), (0, 1, 2, 3), prior, label_noise)
    deltas = np.array(STRENGTHS)
    coordinate = {"unique": U, "synergy": S}.get(component, R)
    if component == "redundant":
        deltas[:, R] = STRENGTHS[0][R]  # the same scalar in both views
    if delta is not None:
        deltas[:, coordinate] = delta
    return _Model(component, deltas, TARGETS[component], prior, label_noise)


def _views(model: _Model, rng: Generator, rows: int, dim: int, seed: int) -> tuple[Array, Array]:
    """Bits r, u1, u2, s1·s2 (N,4) of ±1, and views (N,2,dim)."""
    chances = np.full(4, 0.5)
    chances[list(model.targets)] = model.prior
    bits = np.where(rng.random((rows, 4)) < chances, 1.0, -1.0)
    r, u1, u2, s = bits.T
    s1 = np.where(rng.random(rows) < 0.5, 1.0, -1.0)
    latents = rng.standard_normal((rows, 2, dim))
    if model.component == "redundant":
        latents[:, 1, R] = latents[:, 0, R]
    latents[:, :, :3] += model.deltas * np.stack([r, u1, s1, r, u2, s * s1], 1).reshape(rows, 2, 3)
    return bits, rotate(latents, seed)


def _labels(model: _Model, rng: Generator, bits: Array) -> NDArray[Any]:
    """The target column from bits (N,4), with symmetric label noise."""
    labels: NDArray[Any]
    ones = (bits[:, model.targets] > 0).astype(np.int64)
    if model.component == "bits":
        labels = (ones ^ (rng.random(ones.shape) < model.label_noise)).astype(np.float32)
        return labels
    classes = 2 ** len(model.targets)
    clean = ones @ (2 ** np.arange(len(model.targets))[::-1])
    step = rng.integers(1, classes, size=len(clean))  # to another class, all alike
    labels = (clean + step * (rng.random(len(clean)) < model.label_noise)) % classes
    return labels


def _ceiling(model: _Model, missing: float) -> float:
    """Best expected score: a mixture over which views are present.

    Bits are independent given x, so that the best guess of all is the best guess of each, and a
    label's accuracy a becomes (1-η)a + η(1-a)/(K-1) under label noise η.
    """
    accuracy = 0.0
    for present in product((False, True), repeat=2):
        chance = prod(1 - missing if here else missing for here in present)
        each = [_accuracy(model, target, np.array(present)) for target in model.targets]
        if model.component == "bits":
            score = sum(_noisy(one, model.label_noise, 2) for one in each) / len(each)
        else:
            score = _noisy(prod(each), model.label_noise, 2 ** len(each))
        accuracy += chance * score
    return 1 - accuracy if model.component == "bits" else accuracy


def _accuracy(model: _Model, target: int, present: Array) -> float:
    """Best expected accuracy on one bit, given which views (2,) are present.

    A bit at strength δ: πΦ(δ+Λ/2δ) + (1-π)Φ(δ-Λ/2δ), which is Φ(δ) at π=½; two independent views
    of r have δ = √(δ₁²+δ₂²). A product of bits with accuracies a₁, a₂: a₁a₂ + (1-a₁)(1-a₂).
    """
    seen = model.deltas * present[:, None]
    if target == 3:
        if not present.all():
            return max(model.prior, 1 - model.prior)
        a1, a2 = (phi(delta) for delta in seen[:, S])
        return a1 * a2 + (1 - a1) * (1 - a2) if model.prior == 0.5 else _xor_accuracy(model)
    both = seen[:, R].max() if model.component == "redundant" else hypot(*seen[:, R])
    delta = float((both, seen[0, U], seen[1, U])[target])
    if delta == 0:
        return max(model.prior, 1 - model.prior)
    shift = model.prior_log_odds / (2 * delta)
    return model.prior * phi(delta + shift) + (1 - model.prior) * phi(delta - shift)


def _xor_accuracy(model: _Model) -> float:
    """E max p(s1·s2 | x) for an uneven prior, which has no closed form: the posterior's mean maximum
    over draws (Rao-Blackwell), with a standard error below 2e-4."""
    rng = stream(0, "ceiling")
    s = np.where(rng.random(CEILING_DRAWS) < model.prior, 1.0, -1.0)
    s1 = np.where(rng.random(CEILING_DRAWS) < 0.5, 1.0, -1.0)
    z = model.deltas[:, [S]] * np.stack([s1, s * s1]) + rng.standard_normal((2, CEILING_DRAWS))
    half = torch.from_numpy(model.deltas[:, [S]] * z)
    log_odds = _xor_log_odds(half[0], half[1]) + model.prior_log_odds
    return log_odds.abs().sigmoid().mean().item()


def _xor_log_odds(a: Tensor, b: Tensor) -> Tensor:
    """log[(1+t)/(1-t)], t = tanh(a)tanh(b), without overflow."""
    return torch.logaddexp(a + b, -a - b) - torch.logaddexp(a - b, b - a)


def _noisy(p: Chance, flips: float, classes: int) -> Chance:
    """The chance of a label after symmetric noise, from that of the clean one."""
    return (1 - flips) * p + flips * (1 - p) / (classes - 1)
