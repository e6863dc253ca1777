"""The non-local block against torch's attention, and its limits; positions."""

from math import cos, sin

import pytest
import torch
import torch.nn.functional as F
from mmbench_stcnet.aggregation import NonLocal, attend
from mmbench_stcnet.positions import Positions, sinusoid

from mmbench import Inputs, Modality, Task


def draws(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def real(rows, frames):
    mask = torch.rand(rows, frames) > 0.4
    mask[:, 0] = True
    return mask


def test_attention_is_torchs():
    q, k, v, mask = draws(4, 5, 8), draws(4, 7, 8), draws(4, 7, 8), real(4, 7)
    torch.testing.assert_close(attend(q, k, v, mask), F.scaled_dot_product_attention(q, k, v, mask[:, None]))


def test_block_is_its_equation():
    block = NonLocal(6, 1.0).double()
    x, p, mask = draws(2, 5, 6), draws(1, 5, 6), real(2, 5)
    theta, phi, g = block.project.weight.chunk(3)
    seen = F.layer_norm(x, (6,)) + p
    y = F.scaled_dot_product_attention(seen @ theta.T, seen @ phi.T, seen @ g.T, mask[:, None])
    torch.testing.assert_close(block(x, p, mask), x + F.layer_norm(y @ block.leave.weight.T, (6,)))


def test_scale_zero_is_the_identity_and_learns():
    block = NonLocal(6, 0.0).double()
    x, p, mask = draws(2, 5, 6), draws(1, 5, 6), real(2, 5)
    out = block(x, p, mask)
    assert torch.equal(out, x)
    (out * draws(2, 5, 6)).sum().backward()
    assert block.norm.weight.grad.any()


def test_masked_frames_are_not_seen():
    block = NonLocal(6, 1.0).double()
    x, p, mask = draws(2, 5, 6), draws(1, 5, 6), real(2, 5)
    spoilt = torch.where(mask[..., None], x, 1e3 * draws(2, 5, 6))
    assert torch.equal(block(spoilt, p, mask)[mask], block(x, p, mask)[mask])


def test_sinusoid_by_hand():
    code = sinusoid(torch.tensor([0.0, 2.5], dtype=torch.float64), 4)
    assert code[0].tolist() == [0, 0, 1, 1]
    assert code[1].tolist() == pytest.approx([sin(2.5), sin(0.025), cos(2.5), cos(0.025)])


def clocks():
    modalities = (
        Modality("slow", "sequence", (4, 1), rate=0.5),
        Modality("fast", "sequence", (8, 1)),
        Modality("image", "image", (1, 4, 4)),
    )
    return Task("classification", 2, modalities)


def no_inputs(**times):
    return Inputs({name: torch.zeros(2, 1) for name in ("slow", "fast", "image")}, torch.ones(2, 3), {}, times)


def test_equal_times_have_equal_codes_at_unequal_rates():
    slow, fast, image = Positions(clocks(), (4, 8, 3), 6)(no_inputs()).split((4, 8, 3), 1)
    torch.testing.assert_close(slow, fast[:, ::2])
    torch.testing.assert_close(fast[0], sinusoid(torch.arange(8.0), 6))
    torch.testing.assert_close(image, fast[:, :1].expand(-1, 3, -1))


def test_irregular_times_are_used():
    positions = Positions(clocks(), (4, 8, 3), 6)
    times = torch.stack([torch.arange(8.0), torch.arange(8.0).sqrt()])
    out = positions(no_inputs(fast=times))
    assert out.shape == (2, 15, 6)
    torch.testing.assert_close(out[:1], positions(no_inputs()))
    torch.testing.assert_close(out[1, 4:12], sinusoid(times[1], 6))


def test_modalities_have_codes_of_their_own_where_there_are_several():
    positions = Positions(clocks(), (4, 8, 3), 6)
    with torch.no_grad():
        positions.modality[1] = 5.0
    plain = Positions(clocks(), (4, 8, 3), 6)(no_inputs())
    moved = positions(no_inputs()) - plain
    torch.testing.assert_close(moved[0, :, 0], torch.tensor([0.0] * 4 + [5.0] * 8 + [0.0] * 3))
    alone = Task("classification", 2, (Modality("a", "sequence", (4, 1)),))
    assert Positions(alone, (4,), 6).modality is None
