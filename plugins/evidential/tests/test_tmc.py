"""The model: what it predicts, what it minimises, and that it learns."""

from dataclasses import replace
from functools import reduce

import pytest
import torch
from mmbench_evidential.opinions import divergence_from_uniform
from mmbench_evidential.tmc import Tmc
from torch import nn
from torch.nn.functional import softplus
from torch.testing import assert_close

from mmbench import Batch, Criterion, Inputs, MmbenchError, Modality, Split, Task, probabilities
from mmbench.train.run import CellRun, as_estimator


def build(task, **more):
    torch.manual_seed(0)
    return Tmc(task, width=8, hidden=8, **more).double().eval()


def batch_of(split, epoch=0.0):
    clock = torch.tensor(epoch, dtype=torch.float64)
    return Batch(split.inputs, split.target, torch.arange(len(split)), clock, None, split.labelled)


def alphas(model, inputs):
    """(B,M,·) α of each modality, where all are present."""
    vectors = model.encode(inputs).vectors.values()
    return torch.stack([softplus(head(x)) + 1 for head, x in zip(model.heads, vectors, strict=True)], 1)


def dempster(first, second):
    """α of two opinions by Dempster's rule as it is written, one row."""
    classes, (s1, s2) = len(first), (first.sum(), second.sum())
    (b1, u1), (b2, u2) = ((first - 1) / s1, classes / s1), ((second - 1) / s2, classes / s2)
    conflict = (b1[:, None] * b2).sum() - (b1 * b2).sum()
    b, u = (b1 * b2 + b1 * u2 + b2 * u1) / (1 - conflict), u1 * u2 / (1 - conflict)
    return b * classes / u + 1


def fit(alpha, y):
    """ψ(S) − ψ(α_y) and the divergence without α_y, one row."""
    others = alpha.clone()
    others[y] = 1
    return torch.digamma(alpha.sum()) - torch.digamma(alpha[y]), divergence_from_uniform(others)


def test_prediction_is_the_mean_of_the_combined_dirichlet(make_task, make_split):
    task = make_task("classification", "vector image sequence")
    split = make_split(task, 6, dtype=torch.float64)
    model = build(task)
    output = model(split.inputs)
    for row, each in enumerate(alphas(model, split.inputs)):
        alpha = reduce(dempster, each)
        assert_close(probabilities(task, output.prediction[row]), alpha / alpha.sum())
        for m, name in enumerate(task.names):
            assert_close(output.unimodal[name][row].exp(), each[m])


@pytest.mark.parametrize("epoch", [0.0, 3.0, 25.0])
def test_loss_is_that_of_every_opinion(make_task, make_split, epoch):
    task = make_task("classification", "vector vector vector")
    split = make_split(task, 6, dtype=torch.float64)
    model = build(task)
    expected = 0.0
    for each, y in zip(alphas(model, split.inputs), split.target.tolist(), strict=True):
        for alpha in (*each, reduce(dempster, each)):
            likely, divergence = fit(alpha, y)
            expected = expected + (likely + min(1, epoch / 10) * divergence) / 6
    assert_close(model.loss(model(split.inputs), batch_of(split, epoch), Criterion(task)), expected)


def test_a_label_is_a_class_of_two(make_task, make_split):
    labels = make_task("multilabel", "vector image", outputs=3)
    split = make_split(labels, 6, missing=True, dtype=torch.float64)
    model = build(labels)
    output, loss = model(split.inputs), []
    for k in range(3):  # the same weights, on one label as a task of two classes
        task = Task("classification", 2, labels.modalities)
        one = build(task)
        one.encode.load_state_dict(model.encode.state_dict())
        for mine, theirs in zip(one.heads, model.heads, strict=True):
            mine.layers[0].load_state_dict(theirs.layers[0].state_dict())
            mine.layers[-1].weight = nn.Parameter(theirs.layers[-1].weight[2 * k : 2 * k + 2])
            mine.layers[-1].bias = nn.Parameter(theirs.layers[-1].bias[2 * k : 2 * k + 2])
        alone = one(split.inputs)
        assert_close(output.prediction[:, k].sigmoid(), alone.prediction.softmax(1)[:, 1])
        part = Split(split.inputs, split.target[:, k].long())
        loss.append(one.loss(alone, batch_of(part, 4.0), Criterion(task)))
    assert_close(model.loss(output, batch_of(split, 4.0), Criterion(labels)), torch.stack(loss).mean())


def test_absent_modality_is_vacuous(make_task, make_split):
    task = make_task("classification", "vector vector")
    inputs = make_split(task, 5, dtype=torch.float64).inputs
    first, second = task.names
    model = build(task)
    output = model(inputs.without(second))
    assert_close(output.prediction, model(inputs).unimodal[first])
    assert not output.unimodal[second].any()


def test_loss_leaves_out_absent_modalities_and_unlabelled_rows(make_task, make_split):
    task = make_task("classification", "vector vector")
    split = make_split(task, 8, dtype=torch.float64)
    model, criterion = build(task), Criterion(task)
    kept = torch.arange(8) < 6
    part = split.take(kept.nonzero()[:, 0])
    expected = model.loss(model(part.inputs), batch_of(part), criterion)
    some = replace(split, labelled=kept, target=torch.where(kept, split.target, 0))
    assert_close(model.loss(model(some.inputs), batch_of(some), criterion), expected)

    one = replace(split, inputs=split.inputs.without(task.names[1]))
    output = model(one.inputs)
    alone = [fit(alpha, y)[0] for alpha, y in zip(output.unimodal[task.names[0]].exp(), split.target, strict=True)]
    assert_close(model.loss(output, batch_of(one), criterion), 2 * torch.stack(alone).mean())  # its own, and combined


def test_balance_and_soft_targets_have_an_effect(make_task, make_split):
    task = make_task("classification", "vector vector")
    split = make_split(task, 9, dtype=torch.float64)
    model, batch = build(task), batch_of(split)
    output = model(split.inputs)
    plain = model.loss(output, batch, Criterion(task))
    soft = replace(batch, soft=torch.nn.functional.one_hot(split.target, 3).double())
    assert_close(model.loss(output, soft, Criterion(task)), plain)
    assert_close(model.loss(output, batch, Criterion(task, torch.full((3,), 2.0).double())), 2 * plain)
    weights = torch.tensor([3.0, 0, 0], dtype=torch.float64)
    first = split.take((split.target == 0).nonzero()[:, 0])
    expected = model.loss(model(first.inputs), batch_of(first), Criterion(task))
    assert_close(model.loss(output, batch, Criterion(task, weights)), expected)


def test_every_head_learns_even_if_another_is_certain(make_task, make_split):
    task = make_task("classification", "vector " * 6, outputs=27)
    split = make_split(task, 54, dtype=torch.float32)
    model = build(task).float()
    with torch.no_grad():
        model.heads[0].layers[-1].bias[3] = 1e6
    loss = model.loss(model(split.inputs), batch_of(split, 20.0), Criterion(task))
    loss.backward()
    assert loss.isfinite()
    for parameter in model.parameters():
        assert parameter.grad.isfinite().all()
        assert parameter.grad.any()


def test_regression_is_refused(make_task):
    with pytest.raises(MmbenchError, match="no meaning for regression"):
        Tmc(make_task("regression", "vector"))


def noisy(rows, seed):
    """Three classes, plain in a and nothing in b; one sample in five lacks one of them."""
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(rows) % 3
    a = 2.5 * torch.nn.functional.one_hot(y, 3).float() + 0.3 * torch.randn(rows, 3, generator=g)
    b = torch.randn(rows, 4, 3, generator=g)
    present = torch.ones(rows, 2, dtype=torch.bool)
    present[::10, 0] = present[5::10, 1] = False
    return Split(Inputs({"a": a, "b": b}, torch.ones_like(present), {"b": torch.full((rows,), 4)}).keep(present), y)


def test_learns_and_is_unsure_of_the_modality_that_says_nothing():
    task = Task("classification", 3, (Modality("a", "vector", (3,)), Modality("b", "sequence", (4, 3))))
    run = CellRun(task, 0, options={"lr": 1e-2, "batch": 64, "epochs": 12})
    estimator = as_estimator(lambda: Tmc(task, width=16, hidden=16), 0, "tmc").fit(noisy(300, 0), noisy(90, 1), run)
    test = noisy(90, 2)
    both = test.inputs.present.all(1)
    right = estimator.predict(test.withheld()).argmax(1) == test.target
    assert right[both].float().mean() >= 0.95
    unimodal = estimator.fitted.output(test.withheld()).unimodal
    uncertainty = {name: 3 / logits[both].exp().sum(1) for name, logits in unimodal.items()}
    assert uncertainty["a"].mean() < 0.5 < uncertainty["b"].mean()
