"""The TCN: what a frame sees, and that it computes what plain convolutions do."""

import pytest
import torch
import torch.nn.functional as F
from mmbench_stcnet.convolution import CausalConv, TemporalBlock, TemporalNetwork
from torch import nn
from torch.nn.utils.parametrizations import weight_norm


def normed(conv):
    """Its weight (width,incoming,k), by the definition."""
    direction = conv.direction[:, :, 0]
    return conv.length[:, None, None] * direction / direction.square().sum((1, 2), keepdim=True).sqrt()


def by_hand(conv, x):
    """(B,T,incoming) -> (B,T,width), frame by frame and tap by tap."""
    weight = normed(conv)
    kernel = weight.shape[-1]
    frames = []
    for t in range(x.shape[1]):
        y = conv.bias.expand(len(x), -1)
        for i in range(kernel):
            seen = t - (kernel - 1 - i) * conv.dilation
            if seen >= 0:
                y = y + x[:, seen] @ weight[:, :, i].T
        frames.append(y)
    return torch.stack(frames, 1)


def image(x):
    return x.transpose(1, 2)[:, :, None]


@pytest.mark.parametrize(("levels", "kernel", "field"), [(4, 3, 61), (1, 2, 3), (3, 2, 15), (2, 5, 25)])
def test_receptive_field(levels, kernel, field):
    network = TemporalNetwork(2, 4, levels, kernel, 0.0).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()  # so that no ReLU hides a frame
    x = torch.rand(1, 80, 2, dtype=torch.float64)
    before = network(x)

    def changed(frame):
        other = x.clone()
        other[:, frame] += 1
        return (network(other) != before).any(-1)[0].nonzero().flatten().tolist()

    assert changed(10) == list(range(10, min(10 + field, 80)))
    assert changed(70) == list(range(70, min(70 + field, 80)))


def test_convolution_is_torchs_with_weight_norm():
    mine = CausalConv(3, 5, 3, 4).double()
    nn.init.normal_(mine.bias)
    theirs = weight_norm(nn.Conv1d(3, 5, 3, dilation=4).double())
    with torch.no_grad():
        mine.length.uniform_(0.5, 2)
        theirs.parametrizations.weight.original0.copy_(mine.length[:, None, None])
        theirs.parametrizations.weight.original1.copy_(mine.direction[:, :, 0])
        theirs.bias.copy_(mine.bias)
    x = torch.randn(2, 3, 20, dtype=torch.float64)
    torch.testing.assert_close(mine(x[:, :, None])[:, :, 0], theirs(F.pad(x, (8, 0))))


def test_weights_start_as_torchs_do():
    conv = CausalConv(40, 400, 3, 1)
    torch.testing.assert_close(normed(conv), conv.direction[:, :, 0])
    assert conv.direction.std().item() == pytest.approx(nn.Conv1d(40, 400, 3).weight.std().item(), rel=0.02)


@pytest.mark.parametrize("incoming", [3, 4])
def test_block_by_hand(incoming):
    block = TemporalBlock(incoming, 4, 3, 2, 0.2).double().eval()
    for conv in (block.first, block.second):
        nn.init.normal_(conv.bias)
    x = torch.randn(2, 9, incoming, dtype=torch.float64)
    inner = by_hand(block.second, by_hand(block.first, x).relu()).relu()
    residual = x
    if incoming != 4:
        residual = x @ block.residual.weight[:, :, 0, 0].T + block.residual.bias
    torch.testing.assert_close(block(image(x)), image((residual + inner).relu()))
