"""The linear model on top of unimodal predictions."""

import numpy as np
import pytest
import torch
from mmbench_levels.combiner import Combiner
from sklearn.linear_model import LogisticRegression

from mmbench import Modality, Task


def task_of(kind, outputs):
    return Task(kind, outputs, tuple(Modality(name, "vector", (1,)) for name in "ab"))


def test_learns_to_trust_the_better_modality():
    g = torch.Generator().manual_seed(0)
    y = torch.randint(0, 3, (600,), generator=g)
    good = torch.nn.functional.one_hot(y, 3) + 0.3 * torch.randn(600, 3, generator=g)
    unimodal = torch.stack([torch.randn(600, 3, generator=g), good], 1)
    p = Combiner(task_of("classification", 3), 1.0).fit(unimodal, y).predict(unimodal)
    assert p.dtype == torch.float32
    torch.testing.assert_close(p.sum(1), torch.ones(600))
    assert (p.argmax(1) == y).float().mean() > 0.95


def test_is_logistic_regression_on_standardised_logits():
    g = torch.Generator().manual_seed(0)
    unimodal, y = torch.randn(200, 2, 1, generator=g), torch.randint(0, 2, (200, 1), generator=g).float()
    z = unimodal.flatten(1).double().numpy()
    z = (z - z.mean(0)) / z.std(0)
    expected = LogisticRegression(C=0.5, max_iter=1000).fit(z, y[:, 0].numpy()).predict_proba(z)[:, 1:]
    p = Combiner(task_of("verification", 1), 0.5).fit(unimodal, y).predict(unimodal)
    np.testing.assert_allclose(p.numpy(), expected, atol=1e-5)


def test_class_that_is_never_seen_keeps_its_prior():
    y = torch.tensor([0, 2] * 50)
    unimodal = torch.randn(100, 2, 3, generator=torch.Generator().manual_seed(0))
    p = Combiner(task_of("classification", 3), 1.0).fit(unimodal, y).predict(unimodal)
    assert p[:, 1].tolist() == pytest.approx([0.5 / 100.5] * 100)
    torch.testing.assert_close(p.sum(1), torch.ones(100))


def test_label_that_never_varies_has_its_prior():
    y = torch.tensor([[0.0, 1.0], [0.0, 0.0]] * 50)
    p = Combiner(task_of("multilabel", 2), 1.0).fit(torch.randn(100, 2, 2), y).predict(torch.randn(7, 2, 2))
    assert p[:, 0].tolist() == pytest.approx([0.005] * 7)


def test_values():
    g = torch.Generator().manual_seed(0)
    y = torch.randn(300, 2, generator=g)
    unimodal = torch.stack([y + 0.1 * torch.randn(300, 2, generator=g), torch.randn(300, 2, generator=g)], 1)
    out = Combiner(task_of("regression", 2), 1.0).fit(unimodal, y).predict(unimodal)
    assert (out - y).square().mean() < 0.02
