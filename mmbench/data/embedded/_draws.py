"""What the builders of generated datasets share: splits drawn from seeded streams, and rotated views."""

from collections.abc import Callable

import datasets
import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from mmbench.core.task import Task
from mmbench.data.draws import Array, Columns, stream, tables
from mmbench.data.source import SPLITS
from mmbench.nn.records import Inputs


def draw_splits(
    dataset: str, task: Task, seed: int, sizes: tuple[int, int, int], draw: Callable[[Generator, int], Columns]
) -> datasets.DatasetDict:
    """Train, validation and test, each from a stream of its own: the size of one changes no other.

    Args:
        dataset: names the streams, so that no two datasets share their noise.
        task: with the shapes.
        seed: of the data.
        sizes: rows of train, validation and test.
        draw: the columns of so many rows.
    """
    parts = zip(SPLITS, sizes, strict=True)
    return tables(task, {name: draw(stream(seed, f"{dataset} {name}"), rows) for name, rows in parts})


def bases(seed: int, dim: int) -> Array:
    """(2,dim,dim): an orthogonal matrix for each of two views."""
    rng = stream(seed, "bases")
    q, r = np.linalg.qr(rng.standard_normal((2, dim, dim)))
    signs: Array = np.sign(np.einsum("mii->mi", r))
    return np.asarray(q * signs[:, None], dtype=np.float64)  # the sign that QR leaves open


def rotate(latents: Array, seed: int) -> Array:
    """Views x_m = Q_m z_m of latents (N,2,dim). -> (N,2,dim)."""
    return np.stack([latents[:, m] @ basis.T for m, basis in enumerate(bases(seed, latents.shape[-1]))], 1)


def latents_of(inputs: Inputs, seed: int, leading: int) -> Tensor:
    """The leading coordinates of z_m = Q_mᵀ x_m, zero where a view is absent. -> (N,2,leading) float64."""
    views = torch.stack([value.double() for value in inputs.values.values()], 1)
    basis = torch.from_numpy(bases(seed, views.shape[-1])[:, :, :leading])
    return torch.einsum("nmd,mdk->nmk", views, basis) * inputs.present[..., None]
