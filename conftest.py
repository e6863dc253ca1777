"""What all tests of the core and of the plugins share."""

from collections.abc import Callable

import pytest
import torch

from mmbench import Split, Task
from mmbench.testing import samples

torch.set_num_threads(1)  # the tensors are small: more threads only wait for each other


@pytest.fixture(scope="session")
def make_task() -> Callable[..., Task]:
    """``make_task("classification", "image vector vector")``: a task of those modalities."""
    return samples.make_task


@pytest.fixture(scope="session")
def make_split() -> Callable[..., Split]:
    """``make_split(task, rows)``: random inputs and targets; with ``missing``, some are absent."""
    return samples.make_split
