"""Marginals of the field against known values, sums over all states, and each other."""

import math
from itertools import product

import pytest
import torch
from mmbench_bitower.gate import Gate, assignments, exact, keep_top, mean_field

ALL = torch.ones(1, 2).bool()


def draw(rows, units, scale=1.0):
    g = torch.Generator().manual_seed(0)
    unary = torch.randn(rows, units, generator=g, dtype=torch.float64)
    coupling = scale * torch.randn(rows, units, units, generator=g, dtype=torch.float64)
    present = torch.rand(rows, units, generator=g) < 0.7
    return unary, coupling + coupling.transpose(1, 2), present


def test_known_value():
    unary, coupling = torch.tensor([[0.3, -0.5]]), torch.tensor([[[9.0, 0.8], [0.8, 9.0]]])
    c = exact(unary, coupling, ALL, assignments(2))
    assert c[0, 0].item() == pytest.approx(0.66380, abs=5e-6)
    u, v, j = 0.3, -0.5, 0.8
    both = math.exp(u + v + j)
    z = 1 + math.exp(u) + math.exp(v) + both
    torch.testing.assert_close(c[0], torch.tensor([(math.exp(u) + both) / z, (math.exp(v) + both) / z]))


def test_sum_over_all_states():
    unary, coupling, present = draw(6, 4)
    expected = torch.zeros(6, 4, dtype=torch.float64)
    for row in range(6):
        total = 0.0
        for b in product((0, 1), repeat=4):
            if any(b[m] and not present[row, m] for m in range(4)):
                continue
            energy = sum(b[m] * unary[row, m] for m in range(4))
            energy += sum(b[m] * b[n] * coupling[row, m, n] for m in range(4) for n in range(m + 1, 4))
            weight = math.exp(energy)
            total += weight
            expected[row] += weight * torch.tensor(b)
        expected[row] /= total
    torch.testing.assert_close(exact(unary, coupling, present, assignments(4).double()), expected)


@pytest.mark.parametrize("units", [2, 5, 10])
def test_without_coupling_each_is_a_sigmoid(units):
    unary, coupling, present = draw(5, units, 0.0)
    expected = unary.sigmoid() * present
    torch.testing.assert_close(exact(unary, coupling, present, assignments(units).double()), expected)
    torch.testing.assert_close(mean_field(unary, coupling, present), expected)


def test_mean_field_is_exact_to_first_order_in_the_couplings():
    errors = []
    for scale in (0.02, 0.01):
        unary, coupling, present = draw(20, 5, scale)
        right = exact(unary, coupling, present, assignments(5).double())
        errors.append((mean_field(unary, coupling, present) - right).abs().max().item())
    assert errors[0] < 1e-3
    assert errors[1] < errors[0] / 3  # a quarter, up to higher orders


def test_gate_enumerates_ten_units_and_no_more():
    assert Gate(10, 4).states.shape == (1024, 10)
    assert Gate(11, 4).states is None
    assert Gate(2, 4, "mean-field").states is None
    c = Gate(11, 4)(torch.randn(3, 11, 4), torch.ones(3, 11).bool())
    assert ((c > 0) & (c < 1)).all()


def test_gate_couples_what_looks_alike():
    gate = Gate(2, 3)
    with torch.no_grad():
        gate.weight.zero_()
    r = torch.tensor([[[1.0, 0, 0], [2.0, 0, 0]], [[1.0, 0, 0], [-3.0, 0, 0]], [[1.0, 0, 0], [0, 1.0, 0]]])
    c = gate(r, ALL.expand(3, 2))[:, 0]
    e = math.e
    torch.testing.assert_close(c, torch.tensor([(1 + e) / (3 + e), (1 + 1 / e) / (3 + 1 / e), 0.5]))


def test_top_is_kept_and_gradients_pass_to_all():
    share = torch.tensor([[0.5, 0.2, 0.3], [0.1, 0.6, 0.3]], requires_grad=True)
    for top, expected in ((1, [[1.0, 0, 0], [0, 1.0, 0]]), (2, [[5 / 8, 0, 3 / 8], [0, 2 / 3, 1 / 3]])):
        torch.testing.assert_close(keep_top(share, top), torch.tensor(expected))
    (keep_top(share, 1) * torch.tensor([1.0, 2, 3])).sum().backward()
    assert share.grad.tolist() == [[1, 2, 3]] * 2
