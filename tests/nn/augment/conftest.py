"""Inputs of every kind, and every built-in augmentation as its card builds it."""

import pytest
import torch

from mmbench.registry import installed, load
from mmbench.testing.samples import make_split, make_task

EVERY = "image wide spectrogram sequence fast frames tokens vector"


@pytest.fixture
def task():
    return make_task("classification", EVERY)


@pytest.fixture
def inputs(task):
    return make_split(task, 40, missing=True).inputs


@pytest.fixture
def make(task):
    """``make(name, **parameters)``: an augmentation in training mode."""
    return lambda name, of=task, **parameters: load(installed().term(name))(of, **parameters).train()


@pytest.fixture
def apply():
    """``apply(term, inputs, seed=0)``."""

    def run(term, inputs, seed=0):
        torch.manual_seed(seed)
        return term.inputs(inputs)

    return run
