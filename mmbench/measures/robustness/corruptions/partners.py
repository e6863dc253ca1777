"""Corruptions of which rows belong together."""

from dataclasses import replace
from math import floor

import torch
from numpy.random import Generator

from mmbench.core.modality import Modality
from mmbench.nn.records import Inputs


def shuffle(inputs: Inputs, modality: Modality, level: float, rng: Generator) -> Inputs:
    """A share ``level`` of the rows that have the modality get that of another such row, with its length and
    times: a random cycle through them, so that none keeps its own. What is absent stays so; a single row that
    is chosen has nobody to change with, and stays as it is."""
    name, present = modality.name, inputs.present
    here = inputs.here(name).nonzero()[:, 0]
    order = torch.from_numpy(rng.permutation(len(here))).to(here.device)
    chosen = here[order[: floor(level * len(here) + 0.5)]]
    source = torch.arange(len(present), device=present.device)
    source[chosen] = chosen.roll(1)
    parts = (
        {**part, name: part[name].index_select(0, source)} if name in part else part
        for part in (inputs.values, inputs.lengths, inputs.times)
    )
    values, lengths, times = parts
    return replace(inputs, values=values, lengths=lengths, times=times)
