"""Known values of both fusions, and the linear classifier that the weighted mean is."""

from math import log

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmbench_jenet.jenet import JenetStyle
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from mmbench import Inputs, Modality, Task


def task_of(outputs, *sizes):
    return Task("classification", outputs, tuple(Modality(f"x{i}", "vector", (d,)) for i, d in enumerate(sizes)))


def inputs_of(*values, present=None):
    every = torch.ones(len(values[0]), len(values), dtype=torch.bool)
    inputs = Inputs({f"x{i}": x for i, x in enumerate(values)}, every)
    return inputs if present is None else inputs.keep(torch.tensor(present))


def build(task, **more):
    torch.manual_seed(0)
    return JenetStyle(task, **more).double().eval()


def fit(model, inputs, y):
    """Cross-entropy over all rows, to its optimum: no weight decay."""
    descent = torch.optim.LBFGS(
        model.parameters(), max_iter=3000, tolerance_grad=1e-9, tolerance_change=1e-14, line_search_fn="strong_wolfe"
    )

    def closure():
        descent.zero_grad()
        loss = F.cross_entropy(model(inputs).prediction, y)
        loss.backward()
        return loss

    descent.step(closure)
    return model(inputs).prediction.detach().softmax(1)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def balanced_xor(rows=250, width=3):
    """4·rows samples, labels s_1 s_2, with noise; every sample stands there with all four pairs of signs."""
    a, b = (normal(rows, width, seed=seed) for seed in (0, 1))
    a[:, 0] += 1.5
    b[:, 0] += 1.2
    signs = torch.tensor([[1, 1], [-1, -1], [1, -1], [-1, 1]])
    x = [torch.cat([sign[m] * x for sign in signs]) for m, x in enumerate((a, b))]
    return inputs_of(*x), (signs.prod(1) > 0).long().repeat_interleave(rows)


PRESENT = [[True, True, True], [True, False, True], [False, True, False]]


@pytest.mark.parametrize(
    ("fusion", "expected"),
    [
        ("max", [[-1, 7], [-3, 7], [-1, 5]]),
        ("weighted", [[-2.9, 4.0], [-2.6 / 0.7, 2.5 / 0.7], [-1, 5]]),
    ],
)
def test_known_values_over_those_present(fusion, expected):
    """e = (−3,−5), (−1,5), (−4,7), so that the zero of an absent one would be a maximum; w = .2, .3, .5."""
    model = build(task_of(2, 1, 1, 1), fusion=fusion, width=2)
    with torch.no_grad():
        for embed, bias in zip(model.embed, ([-3.0, -5.0], [-1.0, 5.0], [-4.0, 7.0]), strict=True):
            embed.weight.zero_()
            embed.bias.copy_(torch.tensor(bias))
        if model.weight is not None:
            model.weight.copy_(torch.tensor([0.2, 0.3, 0.5]).double().log())
    output = model(inputs_of(*(normal(3, 1) for _ in range(3)), present=PRESENT))
    torch.testing.assert_close(output.fused, torch.tensor(expected).double())
    torch.testing.assert_close(output.prediction, model.head(output.fused))
    assert not output.embeddings["x1"][1].any()


def test_one_modality_is_one_linear_layer_either_way():
    task, x = task_of(3, 5), normal(8, 5)
    models = [build(task, fusion=fusion, width=8) for fusion in ("max", "weighted")]
    one, other = (model(inputs_of(x)).prediction for model in models)
    assert [name for name, _ in models[1].named_parameters() if "embed" not in name and "head" not in name] == []
    assert torch.equal(one, other)
    torch.testing.assert_close(one, models[0].head(models[0].embed[0](x)))


def test_weighted_mean_is_linear_in_the_concatenation_with_rank_d():
    model, a, b = build(task_of(5, 6, 4), width=2), normal(40, 6), normal(40, 4, seed=1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([0.3, -0.4]))
        w, v = model.weight.softmax(0), model.head.layers[0].weight
        whole = v @ torch.cat([w[m] * model.embed[m].weight for m in range(2)], 1)
        zero = model(inputs_of(torch.zeros_like(a), torch.zeros_like(b))).prediction
        prediction = model(inputs_of(a, b)).prediction
    torch.testing.assert_close(prediction, torch.cat([a, b], 1) @ whole.T + zero)
    assert torch.linalg.matrix_rank(whole) == 2


def test_weighted_mean_is_logistic_regression():
    """Of the concatenation, where d is at least the number of classes."""
    a, b = normal(200, 3), normal(200, 2, seed=1)
    x = torch.cat([a, b], 1)
    y = (x @ normal(5, 3, seed=2) + normal(200, 3, seed=3)).argmax(1)
    p = fit(build(task_of(3, 3, 2), width=8), inputs_of(a, b), y)
    expected = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(x.numpy(), y.numpy())
    np.testing.assert_allclose(p.numpy(), expected.predict_proba(x.numpy()), atol=1e-4)


def test_a_small_width_bounds_the_rank():
    """Four classes at the corners of a tetrahedron need three dimensions."""
    corners = torch.tensor([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]).double()
    y = torch.arange(400) % 4
    x = corners[y] + 0.8 * normal(400, 3)
    losses = []
    for width in (1, 2, 3):
        p = fit(build(task_of(4, 1, 2), width=width), inputs_of(x[:, :1], x[:, 1:]), y)
        losses.append(log_loss(y.numpy(), p.numpy()))
    full = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(x.numpy(), y.numpy()).predict_proba(x.numpy())
    assert losses[0] > losses[1] + 0.05
    assert losses[1] > losses[2] + 0.05
    assert losses[2] == pytest.approx(log_loss(y.numpy(), full), abs=1e-5)


def test_weighted_mean_cannot_do_xor():
    """METHODS: at the optimum the loss is log 2; any weights at all have AUROC ½."""
    inputs, y = balanced_xor()
    model = build(task_of(2, 3, 3), width=8)
    scores = model(inputs).prediction.detach()
    assert roc_auc_score(y, scores[:, 1] - scores[:, 0]) == pytest.approx(0.5, abs=1e-6)
    p = fit(model, inputs, y)
    assert log_loss(y, p.numpy()) == pytest.approx(log(2), abs=1e-8)
    assert roc_auc_score(y, p[:, 1]) == pytest.approx(0.5, abs=1e-3)


def test_maximum_can_do_xor():
    """|a + b| − |a − b| = max(a,−b) + max(−a,b) − max(a,b) − max(−a,−b), which has the sign of ab."""
    model = build(task_of(2, 1, 1), fusion="max", width=4)
    with torch.no_grad():
        for embed, weight in zip(model.embed, ([1, -1, 1, -1], [-1, 1, 1, -1]), strict=True):
            embed.weight.copy_(torch.tensor(weight).double()[:, None])
            embed.bias.zero_()
        model.head.layers[0].weight.copy_(torch.tensor([[0] * 4, [1, 1, -1, -1]]))
        model.head.layers[0].bias.zero_()
        a, b = normal(100, 1), normal(100, 1, seed=1)
        score = model(inputs_of(a, b)).prediction[:, 1]
    torch.testing.assert_close(score, ((a + b).abs() - (a - b).abs())[:, 0])
    assert ((score > 0) == (a * b > 0)[:, 0]).all()
