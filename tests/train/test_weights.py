"""Parameters of all seeds as rows of one tensor, and the descent on them."""

import pytest
import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_

from mmbench import Training
from mmbench.train.weights import Descent, Weights


def net(seed):
    torch.manual_seed(seed)
    made = nn.Sequential(nn.Conv2d(3, 5, 3), nn.Flatten(), nn.Linear(20, 4)).double()
    made.register_parameter("scale", nn.Parameter(torch.rand((), dtype=torch.float64)))
    return made.to(memory_format=torch.channels_last)


def test_the_rows_hold_each_seed_and_the_views_show_it():
    nets = [dict(net(seed).named_parameters()) for seed in range(3)]
    weights = Weights(nets)
    assert weights.rows.shape == (3, sum(p.numel() for p in nets[0].values()))
    for name, view in weights.views(weights.rows).items():
        for seed in range(3):
            assert torch.equal(view[seed], nets[seed][name])
    weights.rows[1].zero_()
    assert not any(view[1].any() for view in weights.views(weights.rows).values())


def test_a_memory_format_is_kept():
    parameters = dict(net(0).named_parameters())
    view = Weights([parameters]).views(Weights([parameters]).rows)["0.weight"][0]
    assert view.is_contiguous(memory_format=torch.channels_last)


def test_gradients_join_in_the_order_of_the_weights():
    each = [dict(net(seed).named_parameters()) for seed in range(2)]
    weights = Weights(each)
    gradients = [[p.detach() * 10 for p in own.values()] for own in each]
    torch.testing.assert_close(weights.join(gradients[0])[0], weights.rows[0] * 10)
    stacked = [torch.stack(pair) for pair in zip(*gradients, strict=True)]
    torch.testing.assert_close(weights.join_rows(stacked), weights.rows * 10)


@pytest.mark.parametrize("clip", [None, 0.05])
def test_a_descent_is_torchs_adamw_with_its_own_clip_for_each_seed(clip):
    options = Training(clip=clip, weight_decay=0.1)
    nets = [net(seed) for seed in range(3)]
    weights = Weights([dict(one.named_parameters()) for one in nets])
    descent = Descent(weights, options, rate=0.01)
    optimisers = [torch.optim.AdamW(one.parameters(), lr=0.01, weight_decay=0.1) for one in nets]
    for step in range(5):
        torch.manual_seed(step)
        gradients = torch.randn_like(weights.rows) * torch.tensor([[0.001], [1.0], [100.0]], dtype=torch.float64)
        for row, one, optimiser in zip(gradients, nets, optimisers, strict=True):
            own = weights.views(row[None])
            for name, parameter in one.named_parameters():
                parameter.grad = own[name][0].clone()
            if clip is not None:
                clip_grad_norm_(one.parameters(), clip)
            optimiser.step()
        descent.step(gradients.clone(), 1.0)
    for row, one in zip(weights.rows, nets, strict=True):
        own = weights.views(row[None])
        for name, parameter in one.named_parameters():
            torch.testing.assert_close(own[name][0], parameter.detach(), rtol=1e-9, atol=1e-12)


def test_rows_that_go_on_do_so_as_if_the_others_had_never_been():
    def run(seeds, drop):
        weights = Weights([dict(net(seed).named_parameters()) for seed in seeds])
        descent = Descent(weights, Training(), 0.01)
        for step in range(6):
            if step == 3 and drop:
                descent.keep([1])
            descent.step(weights.rows.detach() * (step + 1), 1.0)
        return weights.rows

    torch.testing.assert_close(run([0, 1, 2], drop=True)[0], run([1], drop=False)[0])
