"""Attention over modalities, against torch's and against the formula."""

import pytest
import torch
from mmbench_dhcnn.attention import SelfAttention
from torch import nn

PRESENT = torch.tensor([[True, True, True], [True, False, True], [False, True, False], [True, True, False]])


def tokens_and_attention(width, heads, alone=False, modalities=3):
    torch.manual_seed(0)
    tokens = torch.randn(4, modalities, width, dtype=torch.float64)
    return tokens, SelfAttention(width, heads, alone).double()


@pytest.mark.parametrize("heads", [1, 2, 4, 8])
def test_is_torchs(heads):
    tokens, attend = tokens_and_attention(16, heads)
    expected = nn.MultiheadAttention(16, heads, bias=False, batch_first=True, dtype=torch.float64)
    expected.load_state_dict({"in_proj_weight": attend.enter.weight, "out_proj.weight": attend.leave.weight})
    out, _ = expected(tokens, tokens, tokens, key_padding_mask=~PRESENT)
    torch.testing.assert_close(attend(tokens, PRESENT), out)


def test_one_modality_is_torchs_too():
    tokens, attend = tokens_and_attention(16, 4, alone=True, modalities=1)
    expected = nn.MultiheadAttention(16, 4, bias=False, batch_first=True, dtype=torch.float64)
    any_qk = torch.randn(32, 16, dtype=torch.float64)
    weight = torch.cat([any_qk, attend.enter.weight])
    expected.load_state_dict({"in_proj_weight": weight, "out_proj.weight": attend.leave.weight})
    out, _ = expected(tokens, tokens, tokens)
    torch.testing.assert_close(attend(tokens, PRESENT[:, :1]), out)


def test_heads_that_do_not_divide_the_width():
    """Four heads of ⌈10/4⌉ = 3 numbers, by the formula."""
    tokens, attend = tokens_and_attention(10, 4)
    q, k, v = (tokens @ w.T for w in attend.enter.weight.split(12))
    heads = []
    for h in range(4):
        part = slice(3 * h, 3 * h + 3)
        score = torch.einsum("bqc,bkc->bqk", q[..., part], k[..., part]) / 3**0.5
        heads.append(score.masked_fill(~PRESENT[:, None], -torch.inf).softmax(-1) @ v[..., part])
    torch.testing.assert_close(attend(tokens, PRESENT), torch.cat(heads, -1) @ attend.leave.weight.T)
