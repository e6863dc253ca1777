"""What all tests share: a cache of their own, one thread, and draws of inputs."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from mmbench.core.task import Task
from mmbench.nn.records import Inputs

settings.register_profile("mmbench", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("mmbench")
torch.set_num_threads(1)  # sums in one order, and two test processes do not fight over two cores

DrawInputs = Callable[..., Inputs]


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test reads or fills the user's cache."""
    before = os.environ.get("MMBENCH_CACHE")
    folder = tmp_path_factory.mktemp("cache")
    os.environ["MMBENCH_CACHE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["MMBENCH_CACHE"]
    else:
        os.environ["MMBENCH_CACHE"] = before


@pytest.fixture(scope="session")
def draw_inputs() -> DrawInputs:
    """``draw_inputs(task, rows, seed=0, dtype=float64)``: normal values, random lengths, all present."""

    def draw(task: Task, rows: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Inputs:
        source = torch.Generator().manual_seed(seed)
        values, lengths = {}, {}
        for modality in task.modalities:
            shape = (rows, *modality.shape)
            if modality.kind == "tokens":
                value = torch.randint(1, modality.vocabulary, shape, generator=source)
            else:
                value = torch.randn(shape, generator=source, dtype=dtype)
            if modality.timed:
                steps = modality.shape[0]
                length = torch.randint(1, steps + 1, (rows,), generator=source)
                length[0] = steps
                real = torch.arange(steps) < length[:, None]
                value = value * real.reshape(rows, steps, *[1] * (value.dim() - 2)).to(value.dtype)
                lengths[modality.name] = length
            values[modality.name] = value
        return Inputs(values, torch.ones(rows, len(task.modalities), dtype=torch.bool), lengths)

    return draw
