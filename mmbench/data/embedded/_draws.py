"""What the builders share: seeded streams, splits drawn from them, rotated views, and rounding.

Everything is computed in float64 and stored rounded to four decimals, so that the content, and its
fingerprint, is the same on machines whose BLAS or libm differ in the last bits.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import datasets
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from mmbench.core.parameters import Range
from mmbench.core.task import Task
from mmbench.data.source import SPLITS, table
from mmbench.nn.records import Inputs

Array = NDArray[np.float64]
Columns = dict[str, NDArray[Any]]
Seed = Annotated[int, Range(0, 2**31 - 1)]
Rows = Annotated[int, Range(10, 1_000_000)]


def stream(seed: int, name: str) -> Generator:
    """The random numbers of one part of a dataset; streams of other names are independent of it."""
    return np.random.default_rng([seed, *name.encode()])


def rounded(x: Array) -> NDArray[np.float32]:
    """Values as they are stored (see the module's text)."""
    return (np.round(x, 4) + 0.0).astype(np.float32)  # + 0.0 makes one zero of two


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


def tables(task: Task, parts: Mapping[str, Columns]) -> datasets.DatasetDict:
    """The columns of each split as a ``DatasetDict``."""
    return datasets.DatasetDict({name: table(task, columns) for name, columns in parts.items()})


def deal(rng: Generator, labels: NDArray[Any], sizes: tuple[int, int, int]) -> dict[str, NDArray[np.int64]]:
    """Rows of each split, stratified: every split has each class in proportion, within one row.

    Args:
        rng: decides which rows go where.
        labels: (N,) classes; all equal for a plain random split.
        sizes: of the splits, N in all.
    """
    place = np.empty(len(labels))  # each class spread evenly over [0, 1): any stretch has all in proportion
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        place[mine] = (rng.permutation(len(mine)) + rng.random()) / len(mine)
    ends = np.cumsum(sizes)
    if ends[-1] != len(labels):
        raise ValueError(f"splits of {sizes} do not add up to {len(labels)} rows")
    parts = np.split(np.argsort(place, kind="stable"), ends[:-1])
    return {name: rng.permutation(part) for name, part in zip(SPLITS, parts, strict=True)}


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
