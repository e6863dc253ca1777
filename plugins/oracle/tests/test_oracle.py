"""The oracle: it hands on what the dataset knows, and says so if that is nothing."""

from types import SimpleNamespace

import pytest
import torch
from mmbench_oracle import mmbench_methods
from mmbench_oracle.oracle import Oracle

from mmbench import Inputs, MmbenchError, Modality, Split, Task

TASK = Task("classification", 2, (Modality("a", "vector", (1,)), Modality("b", "vector", (1,))))


def gaussian(rows, seed=0):
    """y = ±1, x_m = δ_m y + ε: p(y=1|x) = σ(2 Σ δ_m x_m)."""
    g, strengths = torch.Generator().manual_seed(seed), torch.tensor([1.2, 0.8], dtype=torch.float64)
    y = torch.randint(0, 2, (rows,), generator=g)
    x = strengths * (2.0 * y[:, None] - 1) + torch.randn(rows, 2, generator=g, dtype=torch.float64)
    return Split(Inputs({"a": x[:, :1], "b": x[:, 1:]}, torch.ones(rows, 2).bool()), y)


def posterior(split):
    a, b = split.inputs.values["a"], split.inputs.values["b"]
    p = (2 * (1.2 * a + 0.8 * b)).sigmoid()
    return torch.cat([1 - p, p], 1)


def test_predicts_the_posterior_and_reaches_the_ceiling():
    test = gaussian(100_000)
    oracle = Oracle(TASK).fit(test, test, SimpleNamespace(posterior=posterior, seed=0, device="cpu"))
    p = oracle.predict(test.withheld())
    assert p.dtype == torch.float32
    torch.testing.assert_close(p, posterior(test).float())
    assert (p.argmax(1) == test.target).float().mean().item() == pytest.approx(0.92538, abs=4 * 0.00083)


def test_says_so_if_there_is_no_posterior():
    split = gaussian(4)
    with pytest.raises(MmbenchError, match="known posterior"):
        Oracle(TASK).fit(split, split, SimpleNamespace(posterior=None, seed=0, device="cpu"))


def test_card_refuses_datasets_without_one():
    (card,) = mmbench_methods()
    assert card.role == "ceiling"
    assert card.deterministic
    assert "posterior" in card.refuses(TASK)
    assert not card.refuses(TASK, offers=("posterior",))
