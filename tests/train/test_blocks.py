"""How many rows an evaluation takes at once follows from the model and the data alone."""

import torch
from torch import nn

from mmbench import FusionModel, FusionOutput
from mmbench.train.blocks import FEWEST, MOST, PROBED, rows_at_once


class Wide(FusionModel):
    """A row's activation has as many numbers as asked for."""

    def __init__(self, task, width):
        super().__init__()
        self.linear = nn.Linear(5, width)

    def forward(self, inputs):
        return FusionOutput(self.linear(inputs.values["vector0"])[:, :3])


def test_heavier_activations_make_smaller_blocks(make_task, make_split):
    task = make_task("classification", "vector")
    some = make_split(task, PROBED)
    found = [rows_at_once(Wide(task, width), some) for width in (8, 2**10, 2**13, 2**20)]
    assert found[0] == MOST
    assert found[-1] == FEWEST
    assert found == sorted(found, reverse=True)
    assert found[2] * 2**13 * 4 <= 2 * 2**20, "a block's largest activation fits"


def test_looking_changes_nothing(make_task, make_split):
    task = make_task("classification", "vector")
    model, some = Wide(task, 8), make_split(task, PROBED)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert rows_at_once(model, some) == rows_at_once(model, some)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not model.linear._forward_hooks
