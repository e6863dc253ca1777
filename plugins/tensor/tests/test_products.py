"""TFN and LMF: outer products, and that the low-rank one is what it stands for."""

import pytest
import torch
from mmbench_tensor.lmf import Lmf, LowRankProduct
from mmbench_tensor.tfn import Tfn, largest_width, outer_product
from torch.testing import assert_close


def draw(*shape):
    g = torch.Generator().manual_seed(0)
    return torch.randn(*shape, generator=g, dtype=torch.float64)


def test_outer_product_is_of_vectors_that_begin_with_one():
    factors = [draw(4, 3), draw(4, 2), draw(4, 5)]
    x, y, z = (torch.cat([torch.ones(4, 1, dtype=torch.float64), factor], 1) for factor in factors)
    assert_close(outer_product(factors), torch.einsum("bi,bj,bk->bijk", x, y, z).flatten(1))
    assert_close(outer_product(factors[:1]), x)


def test_outer_product_holds_each_modality_and_each_product():
    x, y = torch.tensor([[2.0]]), torch.tensor([[3.0, 5.0]])
    assert outer_product([x, y]).tolist() == [[1, 3, 5, 2, 6, 10]]


@pytest.mark.parametrize("size", [1024, 4096, 5000, 59049, 65536])
def test_width_is_the_largest_that_fits(size):
    for modalities in range(1, 11):
        k = largest_width(size, modalities)
        assert k >= 1
        assert (k + 1) ** modalities <= size < (k + 2) ** modalities


@pytest.mark.parametrize("modalities", range(1, 11))
def test_size_of_the_product_is_bounded(make_task, make_split, modalities):
    task = make_task("classification", "vector " * modalities)
    fused = Tfn(task, width=8, hidden=8)(make_split(task, 3).inputs).fused
    assert fused.shape[1] <= 4096
    assert (fused.abs() <= 1).all()


def test_widths_are_those_of_the_documentation():
    widths = [min(32, largest_width(4096, modalities)) for modalities in range(1, 11)]
    assert widths == [32, 32, 15, 7, 4, 3, 2, 1, 1, 1]


@pytest.mark.parametrize("modalities", [1, 2, 3])
def test_low_rank_product_is_the_outer_product_contracted(modalities):
    """Σ_r w_r ∏_m ([1; h_m]ᵀ F^r_m) + b = ⊗_m [1; h_m] · Σ_r w_r ⊗_m F^r_m + b."""
    width, size, rank = 4, 5, 3
    product = LowRankProduct(modalities, width, size, rank).double()
    for parameter in product.parameters():
        torch.nn.init.normal_(parameter)
    h = draw(6, modalities, width)
    factors = torch.cat([product.offset, product.slope], 1).reshape(modalities, width + 1, rank, size)
    weights = torch.zeros((width + 1) ** modalities, size, dtype=torch.float64)
    for r in range(rank):
        outer = factors[0, :, r]
        for m in range(1, modalities):
            outer = (outer[:, None] * factors[m, :, r]).flatten(0, 1)
        weights += product.weight[r] * outer
    assert_close(product(h), outer_product([*h.unbind(1)]) @ weights + product.bias, atol=1e-7, rtol=1e-7)


@pytest.mark.parametrize("modalities", [1, 2, 5, 10])
def test_low_rank_product_neither_vanishes_nor_explodes_at_the_start(modalities):
    torch.manual_seed(0)
    product = LowRankProduct(modalities, 64, 256, 4)
    y = product(torch.randn(200, modalities, 64))
    assert y.mean().item() == pytest.approx(2, abs=0.1)  # Σ_r w_r of mean 1 each
    assert y.var().item() == pytest.approx((1 + 1 / modalities) ** modalities - 1, rel=0.2)


def test_factors_are_parameters(make_task):
    """Those of some implementations are not, and never train."""
    model = Lmf(make_task("classification", "vector vector"), width=8, rank=2)
    own = {name: tuple(parameter.shape) for name, parameter in model.product.named_parameters()}
    assert own == {"slope": (2, 8, 16), "offset": (2, 1, 16), "weight": (2,), "bias": (8,)}
