"""Two sequence problems that small models can learn and no modality can solve alone.

``asynchronous``: an event of the query matches, by its content, one of several events that lie at
other times. ``lagged``: the second series follows the first at one of several lags.
"""

from collections.abc import Callable
from math import log, sqrt
from typing import Annotated

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from mmbench.core.errors import MmbenchError
from mmbench.core.parameters import Range
from mmbench.data.draws import Columns, Rows, Seed, rounded, stream
from mmbench.data.embedded import tasks
from mmbench.data.embedded._draws import draw_splits
from mmbench.data.source import Source
from mmbench.nn.records import Inputs

Frames = Annotated[int, Range(2, 1024)]
Noise = Annotated[float, Range(0.01, 10)]
Correlation = Annotated[float, Range(0.05, 0.99)]
LAGS = (0, 2, 4, 6)
CEILING_CHUNKS, CEILING_CHUNK = 4, 50_000  # draws; in chunks, to be sparing of memory


def build_asynchronous(
    *,
    frames: Frames = 12,
    events: Annotated[int, Range(2, 1024)] = 4,
    dim: Annotated[int, Range(1, 64)] = 3,
    noise: Noise = 0.3,
    n_train: Rows = 20_000,
    n_validation: Rows = 2_000,
    n_test: Rows = 5_000,
    seed: Seed = 0,
) -> Source:
    """Which of several events, at other times, does the query mean?

    ``events`` (T,2+d) has J events in random frames: a flag 1, a key uniform on the sphere of radius
    √d, and a value ±1, half of them +1. ``query`` (T,1+d) has one event in a random frame: a flag 1
    and q = k_j* + s·n, with j* uniform and n ~ N(0, I). All other frames are zero. The label is
    whether the value of j* is +1.

    Args:
        frames: T.
        events: J.
        dim: d, of the keys.
        noise: s.
        n_train, n_validation, n_test: rows.
        seed: of the data.

    Raises:
        MmbenchError: if J is odd or does not fit in T.
    """
    if events % 2 or events > frames:
        raise MmbenchError(
            f"asynchronous: events={events} in frames={frames} cannot be drawn: take an even number, at most frames"
        )
    task = tasks.asynchronous(frames, dim)

    def draw(rng: Generator, rows: int) -> Columns:
        row = np.arange(rows)
        where = rng.random((rows, frames)).argsort(1)[:, :events]
        keys = rng.standard_normal((rows, events, dim))
        keys *= sqrt(dim) / np.linalg.norm(keys, axis=-1, keepdims=True)
        signs = np.where(rng.random((rows, events)).argsort(1) < events // 2, 1.0, -1.0)
        meant = rng.integers(events, size=rows)
        query, shown = np.zeros((rows, frames, 1 + dim)), np.zeros((rows, frames, 2 + dim))
        shown[row[:, None], where] = np.concatenate([np.ones((rows, events, 1)), keys, signs[..., None]], -1)
        asked = keys[row, meant] + noise * rng.standard_normal((rows, dim))
        query[row, rng.integers(frames, size=rows)] = np.concatenate([np.ones((rows, 1)), asked], -1)
        target = (signs[row, meant] > 0).astype(np.int64)
        return {"query": rounded(query), "events": rounded(shown), "target": target}

    splits = draw_splits("asynchronous", task, seed, (n_train, n_validation, n_test), draw)
    return Source(task, splits, _ceiling(draw, lambda inputs: posterior_asynchronous(inputs, noise=noise)))


def posterior_asynchronous(inputs: Inputs, *, noise: Noise = 0.3, **others: object) -> Tensor:
    """p(y=1|x) = Σ_{v_j=+1} e^{-|q-k_j|²/2s²} / Σ_j e^{-|q-k_j|²/2s²}; ½ where a modality is absent.

    Args:
        inputs: N raw rows.
        noise: as in ``build_asynchronous``.
        others: its parameters on which p(y | x) does not depend.

    Returns:
        (N,2) float64.
    """
    query, shown = (value.double() for value in inputs.values.values())
    asked = (query[..., 1:] * (query[..., :1] > 0.5)).sum(1, keepdim=True)
    distance = (asked - shown[..., 1:-1]).square().sum(-1)
    weight = (-distance / (2 * noise**2)).masked_fill(shown[..., 0] < 0.5, -torch.inf).softmax(-1)
    p = (weight * (shown[..., -1] > 0)).sum(-1)
    p = torch.where(inputs.present.all(1), p, 0.5)
    return torch.stack([1 - p, p], 1)


def build_lagged(
    *,
    frames: Frames = 24,
    rho: Correlation = 0.5,
    lags: tuple[int, ...] = LAGS,
    n_train: Rows = 10_000,
    n_validation: Rows = 2_000,
    n_test: Rows = 5_000,
    seed: Seed = 0,
) -> Source:
    """At which lag does the second series follow the first?

    ``first`` (T,1) is white, N(0,1); ``second`` (T,1) is ρ·first[t-κ] + √(1-ρ²)·n from t = κ on, and
    white before. The class is the index of the lag κ, all equally likely.

    Args:
        frames: T.
        rho: ρ.
        lags: the κ of each class.
        n_train, n_validation, n_test: rows.
        seed: of the data.

    Raises:
        MmbenchError: for fewer than two lags, one twice, or one that does not fit in T.
    """
    if len(lags) < 2 or len(set(lags)) < len(lags) or min(lags) < 0 or max(lags) >= frames:
        raise MmbenchError(
            f"lagged: lags={lags} with frames={frames} cannot be told apart: "
            f"take two or more different lags from 0 to {frames - 1}"
        )
    task = tasks.lagged(frames, len(lags))

    def draw(rng: Generator, rows: int) -> Columns:
        target = rng.integers(len(lags), size=rows)
        first, second = rng.standard_normal((2, rows, frames))
        for label, lag in enumerate(lags):
            mine = target == label
            second[mine, lag:] = rho * first[mine, : frames - lag] + sqrt(1 - rho**2) * second[mine, lag:]
        return {"first": rounded(first[..., None]), "second": rounded(second[..., None]), "target": target}

    splits = draw_splits("lagged", task, seed, (n_train, n_validation, n_test), draw)
    return Source(task, splits, _ceiling(draw, lambda inputs: posterior_lagged(inputs, rho=rho, lags=lags)))


def posterior_lagged(
    inputs: Inputs, *, rho: Correlation = 0.5, lags: tuple[int, ...] = LAGS, **others: object
) -> Tensor:
    """log p(κ|x) = -½Σ_{t<κ}x₂[t]² - Σ_{t≥κ}{(x₂[t]-ρx₁[t-κ])²/2(1-ρ²) + ½log(1-ρ²)} + const;
    uniform where a modality is absent.

    Args:
        inputs: N raw rows.
        rho, lags: as in ``build_lagged``.
        others: its parameters on which p(y | x) does not depend.

    Returns:
        (N,K) float64.
    """
    first, second = (value.double().squeeze(-1) for value in inputs.values.values())
    frames, rest = first.shape[1], 1 - rho**2
    scores = []
    for lag in lags:
        follows = (second[:, lag:] - rho * first[:, : frames - lag]).square().sum(1) / rest
        scores.append(-(second[:, :lag].square().sum(1) + follows + (frames - lag) * log(rest)) / 2)
    return (torch.stack(scores, 1) * inputs.present.all(1, keepdim=True)).softmax(1)


def _ceiling(draw: Callable[[Generator, int], Columns], posterior: Callable[[Inputs], Tensor]) -> float:
    """E max p(y|x): the posterior's mean maximum over draws; standard error below 4e-4 at the defaults."""
    rng = stream(0, "ceiling")
    present = torch.ones(CEILING_CHUNK, 2, dtype=torch.bool)
    total = 0.0
    for _ in range(CEILING_CHUNKS):
        columns = draw(rng, CEILING_CHUNK)
        values = {name: torch.from_numpy(column) for name, column in columns.items() if name != "target"}
        total += posterior(Inputs(values, present)).amax(1).mean().item()
    return total / CEILING_CHUNKS
