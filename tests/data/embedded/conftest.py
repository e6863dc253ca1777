"""What the tests of the embedded datasets share: sources by name, read back as tensors."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mmbench.core.cards import DatasetCard
from mmbench.data.embedded import mmbench_datasets
from mmbench.data.source import Source
from mmbench.nn.records import Inputs
from mmbench.registry import load

CARDS = {card.name: card for card in mmbench_datasets()}


@cache
def _build(name: str, parameters: tuple[tuple[str, object], ...]) -> Source:
    return load(CARDS[name])(**{**CARDS[name].preset, **dict(parameters)})


def _column(source: Source, split: str, name: str, shape: tuple[int, ...]) -> np.ndarray:
    column = source.splits[split].data.column(name).combine_chunks()
    flat = (column.flatten() if shape else column).to_numpy(zero_copy_only=False)
    return np.array(flat).reshape(-1, *shape)


@pytest.fixture(scope="session")
def cards() -> dict[str, DatasetCard]:
    return CARDS


@pytest.fixture(scope="session")
def build() -> Callable[..., Source]:
    """build(name, **parameters): the source of a card, made once."""
    return lambda name, **parameters: _build(name, tuple(sorted(parameters.items())))


@pytest.fixture(scope="session")
def read() -> Callable[..., tuple[Inputs, Tensor]]:
    """read(source, split): inputs in float64, and the target."""

    def read(source: Source, split: str = "test") -> tuple[Inputs, Tensor]:
        task = source.task
        values = {m.name: torch.from_numpy(_column(source, split, m.name, m.shape)).double() for m in task.modalities}
        if "present" in source.splits[split].column_names:
            present = torch.from_numpy(_column(source, split, "present", (len(values),))).bool()
        else:
            present = torch.ones(len(source.splits[split]), len(values), dtype=torch.bool)
        shape = () if task.kind == "classification" else (task.outputs,)
        return Inputs(values, present), torch.from_numpy(_column(source, split, "target", shape))

    return read


@pytest.fixture(scope="session")
def posterior() -> Callable[..., Tensor]:
    """posterior(name, inputs, **parameters): the exact p(y|x) of a card."""

    def posterior(name: str, inputs: Inputs, **parameters: Any) -> Tensor:
        card = CARDS[name]
        return load(replace(card, build=card.posterior))(inputs, **{**card.preset, **parameters})

    return posterior


@pytest.fixture(scope="session")
def hits() -> Callable[[Tensor, Tensor], Tensor]:
    """hits(p, target): whether the likeliest answer is right, (N,) or (N,L) for labels."""

    def hits(p: Tensor, target: Tensor) -> Tensor:
        return ((p > 0.5) == (target > 0.5) if target.dim() == 2 else p.argmax(1) == target).double()

    return hits
