"""Attention pooling, multimodal FC, max, mean, gated unit and class token against their definitions."""

import pytest
import torch
import torch.nn.functional as F
from mmbench_pooling.attention import AttentionPooling
from mmbench_pooling.connected import MultimodalFC, multimodal_fc
from mmbench_pooling.gated import GatedUnit
from mmbench_pooling.plain import Max, Mean
from mmbench_pooling.transformer import ClassTokenAttention
from torch import nn

B, D = 20, 8


def draw(modalities, missing=True):
    g = torch.Generator().manual_seed(modalities)
    present = torch.rand(B, modalities, generator=g) > 0.4 if missing else torch.ones(B, modalities, dtype=torch.bool)
    present[torch.arange(B), torch.arange(B) % modalities] = True
    return torch.randn(B, modalities, D, generator=g, dtype=torch.float64), present


def test_attention_pooling_with_one_vector_for_all_is_attention_of_one_query():
    """Against torch, keys W f and values f."""
    h, present = draw(4)
    fuser = AttentionPooling(4, D, static=False).double()
    scores = fuser.pool.scores
    with torch.no_grad():
        scores.queries.copy_(scores.queries[:1].expand(4, -1))
    query = scores.queries[:1].expand(B, 1, -1)
    expected = F.scaled_dot_product_attention(query, scores.key(h), h, attn_mask=present[:, None])
    torch.testing.assert_close(fuser(h, present), expected[:, 0])


def test_attention_pooling_weights_by_each_modalitys_own_vector():
    h, present = draw(3, missing=False)
    pool = AttentionPooling(3, D, static=False).double().pool
    e = torch.stack([(pool.scores.key(h[:, i]) @ pool.scores.queries[i]) / D**0.5 for i in range(3)], 1)
    torch.testing.assert_close(pool.weights(h, present), e.softmax(1))


@pytest.mark.parametrize(("activation", "function"), [("relu", F.relu), ("sigmoid", F.sigmoid), ("tanh", F.tanh)])
def test_fully_connected_layer_is_a_sum_over_modalities(activation, function):
    h, present = draw(3)
    fuser = MultimodalFC(3, D, activation).double()
    blocks = fuser.layer.weight.split(D, 1)
    total = sum(h[:, m] @ block.T for m, block in enumerate(blocks)) + fuser.layer.bias
    torch.testing.assert_close(fuser(h, present), function(total))


def test_fully_connected_layer_reads_the_missing_token(make_task, make_split):
    task = make_task("classification", "vector vector")
    model = multimodal_fc(task, width=8).eval()
    inputs = make_split(task, 4).inputs
    gone = inputs.without(task.names[0])
    with torch.no_grad():
        model.encode.missing.fill_(0.5)
        h = torch.stack([torch.full((4, 8), 0.5), model.encode(inputs).vectors[task.names[1]]], 1)
        torch.testing.assert_close(model(gone).fused, model.fuse(h, gone.present))


def test_max_and_mean_are_over_those_present():
    h, present = draw(4)
    for row in range(B):
        here = h[row, present[row]]
        torch.testing.assert_close(Max()(h, present)[row], here.max(0).values)
        torch.testing.assert_close(Mean()(h, present)[row], here.mean(0))


@pytest.mark.parametrize("gate", ["independent", "softmax"])
def test_gated_unit_of_two_is_an_interpolation(gate):
    h, present = draw(2, missing=False)
    fuser = GatedUnit(2, D, gate).double()
    weight = fuser.gate.weight  # a softmax of two is the sigmoid of the difference
    both = h.flatten(1) @ (weight if gate == "independent" else weight[:D] - weight[D:]).T
    z, (t1, t2) = both.sigmoid(), (torch.tanh(h[:, m] @ fuser.project.weight[m].T) for m in range(2))
    torch.testing.assert_close(fuser(h, present), z * t1 + (1 - z) * t2)


def test_independent_gates_of_three():
    h, present = draw(3)
    fuser = GatedUnit(3, D, "independent").double()
    z = (h.flatten(1) @ fuser.gate.weight.T).sigmoid().split(D, 1)
    t = [torch.tanh(h[:, m] @ fuser.project.weight[m].T) for m in range(3)]
    expected = sum(z[m] * t[m] * present[:, m, None] for m in range(3))
    torch.testing.assert_close(fuser(h, present), expected)


@pytest.mark.parametrize("modalities", [2, 3])
def test_gates_that_sum_to_one_do_so_over_those_present(modalities):
    h, present = draw(modalities)
    z = GatedUnit(modalities, D, "softmax").double().gates(h, present)
    assert not z[~present].any()
    torch.testing.assert_close(z.sum(1), torch.ones(B, D, dtype=torch.float64))


def test_one_modality_has_no_gate():
    h, present = draw(1)
    fuser = GatedUnit(1, D, "independent").double()
    assert [name for name, _ in fuser.named_parameters()] == ["project.weight"]
    torch.testing.assert_close(fuser(h, present), torch.tanh(h[:, 0] @ fuser.project.weight[0].T))


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_class_token_is_what_torchs_transformer_layer_makes_of_it(heads):
    h, present = draw(5)
    fuser = ClassTokenAttention(5, D, heads, dropout=0.0, embedding=False).double()
    layer = nn.TransformerEncoderLayer(D, heads, 2 * D, dropout=0.0, batch_first=True).double()
    with torch.no_grad():
        nothing = torch.zeros_like(fuser.query.bias)
        layer.self_attn.in_proj_weight.copy_(torch.cat([x.weight for x in (fuser.query, fuser.key, fuser.value)]))
        layer.self_attn.in_proj_bias.copy_(torch.cat([fuser.query.bias, nothing, fuser.value.bias]))
    parts = (fuser.out, fuser.first, fuser.second, *fuser.norms)
    theirs = (layer.self_attn.out_proj, layer.linear1, layer.linear2, layer.norm1, layer.norm2)
    for part, their in zip(parts, theirs, strict=True):
        their.load_state_dict(part.state_dict())
    tokens = torch.cat([fuser.token.expand(B, 1, -1), h], 1)
    masked = torch.cat([torch.zeros(B, 1, dtype=torch.bool), ~present], 1)
    torch.testing.assert_close(fuser(h, present), layer(tokens, src_key_padding_mask=masked)[:, 0])


def test_heads_need_not_divide_the_width():
    even, odd = (ClassTokenAttention(2, width, 4, dropout=0.0, embedding=False) for width in (D, D + 1))
    assert even.query.out_features == D
    assert odd.query.out_features == 12
    assert odd(torch.randn(3, 2, D + 1), torch.ones(3, 2, dtype=torch.bool)).shape == (3, D + 1)


SYMMETRIC = {
    "max": Max,
    "mean": Mean,
    "attention": lambda: ClassTokenAttention(4, D, 2, 0.0, embedding=False),
}


@pytest.mark.parametrize("name", SYMMETRIC)
def test_order_of_modalities_does_not_matter(name):
    h, present = draw(4)
    fuser = SYMMETRIC[name]().double()
    order = torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(fuser(h[:, order], present[:, order]), fuser(h, present))


def test_modality_embedding_makes_it_matter():
    h, present = draw(4, missing=False)
    fuser = ClassTokenAttention(4, D, 2, 0.0, embedding=True).double()
    order = torch.tensor([2, 0, 3, 1])
    assert not torch.allclose(fuser(h[:, order], present), fuser(h, present))
