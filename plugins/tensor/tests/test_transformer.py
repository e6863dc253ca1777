"""The transformers against torch's own, and their tokens."""

import pytest
import torch
import torch.nn.functional as F
from mmbench_tensor.tokens import aligned, pool, positions, readout
from mmbench_tensor.transformer import Attentions, Layers, Linears, Transformers, normalise
from torch import nn
from torch.testing import assert_close

from mmbench import ModalityEncoders


def draw(*shape, seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=g, dtype=torch.float64)


def test_linears_are_linear_layers():
    maps, x = Linears(3, 4, 5).double(), draw(3, 2, 6, 4)
    nn.init.normal_(maps.bias)
    for out, one, weight, bias in zip(maps(x), x, maps.weight, maps.bias, strict=True):
        assert_close(out, F.linear(one, weight.T, bias[0]))


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_attention_is_that_of_torch_with_a_zero_key(heads):
    count, rows, width = 2, 4, 6
    attend = Attentions(count, width, heads).double()
    for parameter in attend.parameters():
        nn.init.normal_(parameter, std=0.5)
    x, sources = draw(count, rows, 5, width), draw(count, rows, 7, width, seed=1)
    real = torch.arange(7) < torch.tensor([7, 3, 1, 0])[:, None]
    out = attend(x, sources, real.expand(count, -1, -1))
    for n in range(count):
        theirs = nn.MultiheadAttention(width, heads, add_zero_attn=True, batch_first=True).double()
        maps = (attend.query, attend.key, attend.value)
        theirs.in_proj_weight = nn.Parameter(torch.cat([part.weight[n].T for part in maps]))
        theirs.in_proj_bias = nn.Parameter(torch.cat([part.bias[n, 0] for part in maps]))
        theirs.out_proj.weight = nn.Parameter(attend.leave.weight[n].T)
        theirs.out_proj.bias = nn.Parameter(attend.leave.bias[n, 0])
        expected, _ = theirs(x[n], sources[n], sources[n], key_padding_mask=~real)
        assert_close(out[n], expected)


def test_query_over_a_single_token_learns():
    attend = Attentions(1, 6, 2).double()
    attend(draw(1, 8, 1, 6), draw(1, 8, 1, 6, seed=1), torch.ones(1, 8, 1).bool()).square().sum().backward()
    assert attend.query.weight.grad.abs().min() > 0
    assert attend.key.weight.grad.abs().min() > 0


def test_layer_is_a_pre_norm_layer():
    layer = Layers(1, 6, 2, dropout=0.0).double()
    x, sources, real = draw(1, 4, 5, 6), draw(1, 4, 7, 6, seed=1), torch.ones(1, 4, 7).bool()
    after = x + layer.attend(F.layer_norm(x, (6,)), sources, real)
    first, _, second = layer.mlp
    inner = F.relu(F.layer_norm(after, (6,)) @ first.weight[0] + first.bias[0])
    assert_close(layer(x, sources, real), after + inner @ second.weight[0] + second.bias[0])


def test_transformers_do_not_mix():
    both = Transformers(2, 6, 2, layers=2, steps=5, dropout=0.0).double()
    x, real = draw(2, 4, 5, 6), torch.ones(2, 4, 5).bool()
    out = both(x, None, real)
    other = both(torch.stack([x[0], x[1].flip(-1)]), None, real)
    assert torch.equal(out[0], other[0])
    assert not torch.allclose(out[1], other[1])
    assert_close(out, normalise(out), atol=1e-4, rtol=0)


def test_padding_is_never_looked_at():
    model = Transformers(1, 6, 2, layers=2, steps=9, dropout=0.0).double()
    x, sources = draw(1, 3, 5, 6), draw(1, 3, 7, 6, seed=1)
    longer = torch.cat([sources, 1e3 * draw(1, 3, 2, 6)], 2)
    real = torch.ones(1, 3, 7).bool()
    assert_close(model(x, longer, F.pad(real, (0, 2))), model(x, sources, real))


def test_positions_tell_tokens_apart():
    places = positions(64, 30)
    assert places.shape == (64, 30)
    assert positions(4, 3).shape == (4, 3)
    assert_close(places[5, 0], torch.tensor(5.0).sin())
    assert_close(places[5, 15], torch.tensor(5.0).cos())
    assert (torch.cdist(places, places) + 10 * torch.eye(64)).min() > 0.5


def test_pooling_is_a_masked_mean_of_neighbours():
    tokens = torch.arange(10.0).reshape(1, 5, 2).repeat(2, 1, 1)
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    pooled, real = pool(tokens, mask, 3)
    assert pooled.tolist() == [[[1, 2], [5, 6], [8, 9]], [[1, 2], [4, 5], [0, 0]]]
    assert real.tolist() == [[True] * 3, [True, True, False]]
    assert pool(tokens, mask, 5)[0] is tokens


@pytest.mark.parametrize("steps", [1, 7, 31, 32, 33, 100])
def test_pooling_keeps_at_most_as_many_as_asked_for(steps):
    tokens = draw(2, steps, 3)
    pooled, real = pool(tokens, torch.ones(2, steps).bool(), 32)
    assert pooled.shape[1] <= 32
    assert real.all()


def test_readout_is_the_last_token_in_time_and_the_mean_elsewhere():
    x = draw(2, 3, 5, 4)
    lengths = torch.tensor([5, 3, 1])
    real = (torch.arange(5) < lengths[:, None]).expand(2, -1, -1)
    out = readout(x, real, torch.tensor([True, False]))
    for row, length in enumerate(lengths):
        assert_close(out[row, 0], x[0, row, length - 1])
        assert_close(out[row, 1], x[1, row, :length].mean(0))


def test_absent_modality_is_one_missing_token_as_target_and_nothing_as_source(make_task, make_split):
    task = make_task("classification", "vector sequence")
    inputs = make_split(task, 6, missing=True, dtype=torch.float64).inputs
    encode = ModalityEncoders(task, 8).double()
    nn.init.normal_(encode.missing)
    encoded = encode(inputs)
    tokens, targets, sources = aligned(encoded, inputs, 32)
    assert tokens.shape == (2, 6, 6, 8)
    for m, name in enumerate(task.names):
        for row in range(6):
            if inputs.here(name)[row]:
                steps = encoded.masks[name].shape[1]
                assert torch.equal(targets[m, row, :steps], encoded.masks[name][row])
                assert torch.equal(sources[m, row], targets[m, row])
                assert torch.equal(tokens[m, row, :steps], encoded.tokens[name][row])
            else:
                assert targets[m, row].tolist() == [True] + [False] * 5
                assert not sources[m, row].any()
                assert torch.equal(tokens[m, row, 0], encode.missing[m])
