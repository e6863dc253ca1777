"""Weights: the trained parameters of S seeds as one (S,P) tensor, a row a seed.

The optimiser, the clip and the copy of the best state then cost a kernel or two each, however many
parameters a model has; and seeds that are trained together are nothing but more rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from mmbench.core.training import Training


@dataclass(frozen=True)
class Part:
    """Where one parameter lies in a row.

    Attributes:
        start: its first entry.
        shape, strides: as the parameter's own, so that a memory format such as channels-last holds.
        order: its axes from the slowest to the fastest in memory; None if that is their own order.
    """

    start: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    order: tuple[int, ...] | None

    @classmethod
    def of(cls, parameter: Tensor, start: int) -> Self:
        strides = torch.empty_like(parameter, memory_format=torch.preserve_format).stride()
        axes = tuple(range(parameter.dim()))
        order = tuple(sorted(axes, key=lambda axis: (-strides[axis], axis)))
        return cls(start, tuple(parameter.shape), strides, None if order == axes else order)

    def view(self, rows: Tensor) -> Tensor:
        """(S,*shape): this parameter of every row."""
        start = rows.storage_offset() + self.start
        return rows.as_strided((len(rows), *self.shape), (rows.stride(0), *self.strides), start)

    def flatten(self, gradient: Tensor) -> Tensor:
        """(n,): a gradient in the order of the memory."""
        return gradient.reshape(-1) if self.order is None else gradient.permute(self.order).reshape(-1)


class Weights:
    """The weights that a stage trains.

    Args:
        each: the parameters of every seed by name; all seeds have the same names and shapes.

    Attributes:
        rows: (S,P).
        parts: by name, in the order of the parameters.
    """

    def __init__(self, each: Sequence[Mapping[str, Tensor]]) -> None:
        self.parts: dict[str, Part] = {}
        size = 0
        for name, parameter in each[0].items():
            self.parts[name] = Part.of(parameter, size)
            size += parameter.numel()
        like = next(iter(each[0].values()))
        self.rows = like.new_empty(len(each), size).detach()
        with torch.no_grad():
            for row, parameters in zip(self.rows, each, strict=True):
                for name, view in self.views(row[None]).items():
                    view[0].copy_(parameters[name])

    def views(self, rows: Tensor) -> dict[str, Tensor]:
        """{name: (S,*shape)} of rows (S,P), without a copy."""
        return {name: part.view(rows) for name, part in self.parts.items()}

    def join(self, gradients: Sequence[Tensor]) -> Tensor:
        """(1,P) from the gradient (*shape) of each parameter of one seed."""
        return torch.cat([part.flatten(x) for part, x in zip(self.parts.values(), gradients, strict=True)])[None]

    def join_rows(self, gradients: Sequence[Tensor]) -> Tensor:
        """(S,P) from the gradients (S,*shape) of each parameter."""
        joined = torch.empty_like(self.rows)
        for view, x in zip(self.views(joined).values(), gradients, strict=True):
            view.copy_(x)  # they come transposed from products of matrices: `cat` would copy them twice
        return joined


class Descent:
    """AdamW on weights, with the gradient of each row clipped by its own norm.

    A parameter that a step does not reach has gradient zero there.

    Args:
        weights: changed in place.
        options: of the trainer.
        rate: learning rate of the stage.
    """

    def __init__(self, weights: Weights, options: Training, rate: float) -> None:
        self.weights, self.options, self.rate = weights, options, rate
        self._optimiser = self._make()

    def step(self, gradient: Tensor, factor: float) -> None:
        """One step against (S,P) with the learning rate times ``factor``. Nothing is read back to the host."""
        if self.options.clip is not None:
            norm = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
            gradient.mul_((self.options.clip / (norm + 1e-6)).clamp(max=1.0))
        self.weights.rows.grad = gradient
        self._optimiser.param_groups[0]["lr"] = self.rate * factor
        self._optimiser.step()

    def keep(self, rows: list[int]) -> None:
        """Go on with some of the rows alone."""
        state = self._optimiser.state[self.weights.rows]
        index = torch.tensor(rows, device=self.weights.rows.device)
        self.weights.rows = self.weights.rows.detach().index_select(0, index)
        self._optimiser = self._make()
        self._optimiser.state[self.weights.rows] = {
            name: value.index_select(0, index) if value.dim() else value for name, value in state.items()
        }

    def _make(self) -> torch.optim.AdamW:
        options = self.options
        return torch.optim.AdamW(
            [self.weights.rows], lr=self.rate, betas=options.betas, weight_decay=options.weight_decay, fused=True
        )
