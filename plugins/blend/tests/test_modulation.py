"""Discrepancy ratios and coefficients by hand, and what becomes of gradients."""

import math

import pytest
import torch
from mmbench_blend.modulation import coefficients, scores
from mmbench_blend.ogm import OGM

from mmbench import Batch, Criterion


def drawn(task, make_split, rows=24, missing=False, **options):
    split = make_split(task, rows, missing=missing, dtype=torch.float64)
    torch.manual_seed(0)
    model = OGM(task, width=8, **options).double()
    clock = torch.zeros((), dtype=torch.float64)
    return model, Batch(split.inputs, split.target, torch.arange(rows), clock)


def gradients_of(model, batch, criterion):
    output = model(batch.inputs)
    names, leaves = zip(*model.named_parameters(), strict=True)
    found = torch.autograd.grad(model.loss(output, batch, criterion), leaves, allow_unused=True)
    return {n: g for n, g in zip(names, found, strict=True) if g is not None}, output


def test_two_modalities_have_the_papers_coefficients():
    score = torch.tensor([0.6, 0.4])
    assert coefficients(score, 0.5).tolist() == pytest.approx([1 - math.tanh(0.5 * 1.5), 1])
    assert coefficients(score.flip(0), 0.5).tolist() == pytest.approx([1, 1 - math.tanh(0.5 * 1.5)])


def test_more_modalities_are_compared_with_the_mean_of_the_others():
    k = coefficients(torch.tensor([0.2, 0.8, 0.5]), 0.3).tolist()
    assert k == pytest.approx([1, 1 - math.tanh(0.3 * 0.8 / 0.35), 1])


@pytest.mark.parametrize("score", [[0.5, 0.5], [0.3, 0.3, 0.3], [0.6, 0.0]])
def test_nothing_is_damped_where_none_dominates_or_one_is_alone(score):
    assert coefficients(torch.tensor(score), 0.5).tolist() == [1.0] * len(score)


def test_a_modality_without_rows_does_not_make_the_others_dominate():
    alone = coefficients(torch.tensor([0.6, 0.4]), 0.5).tolist()
    assert coefficients(torch.tensor([0.6, 0.4, 0.0]), 0.5).tolist() == [*alone, 1.0]


@pytest.mark.parametrize("kind", ["classification", "multilabel", "anomaly"])
def test_scores_are_mean_probabilities_of_what_is_true(make_task, make_split, kind):
    task = make_task(kind, "vector vector")
    model, batch = drawn(task, make_split, missing=True)
    known = torch.arange(24) % 3 > 0
    batch = Batch(batch.inputs, batch.target, batch.index, batch.epoch, labelled=known)
    unimodal = model(batch.inputs).unimodal
    expected = []
    for name, logits in unimodal.items():
        if kind == "classification":
            p = logits.softmax(1)[torch.arange(24), batch.target]
        else:
            p = torch.where(batch.target > 0, logits.sigmoid(), 1 - logits.sigmoid()).mean(1)
        expected.append(p[batch.inputs.here(name) & known].mean())
    torch.testing.assert_close(scores(task, torch.stack(list(unimodal.values()), 1), batch), torch.stack(expected))


def test_contributions_add_up_to_the_prediction(make_task, make_split):
    task = make_task("classification", "vector image tokens")
    model, batch = drawn(task, make_split)
    output = model(batch.inputs)
    torch.testing.assert_close(torch.stack(list(output.unimodal.values())).sum(0), output.prediction)
    torch.testing.assert_close(output.prediction, model.head(output.fused))
    weight, bias = model.head.weight[:, 8:16], model.head.bias / 3
    torch.testing.assert_close(output.unimodal["image1"], output.embeddings["image1"] @ weight.T + bias)


def test_encoders_alone_are_damped_each_by_its_coefficient(make_task, make_split):
    task = make_task("classification", "vector sequence")
    model, batch = drawn(task, make_split, alpha=0.7)
    model.eval()  # no noise
    grads, output = gradients_of(model, batch, Criterion(task))
    k = coefficients(scores(task, torch.stack(list(output.unimodal.values()), 1), batch), 0.7)
    assert (k < 1).sum() == 1
    changed = model.gradients(grads, output, batch)
    assert set(changed) == set(grads)
    for name, gradient in grads.items():
        factor = k[int(name.split(".")[2])] if name.startswith("encode.encoders") else 1.0
        torch.testing.assert_close(changed[name], factor * gradient)


def test_noise_has_the_deviation_of_the_gradient(make_task, make_split):
    task = make_task("classification", "vector vector")
    model, batch = drawn(task, make_split, alpha=0.0, noise=0.5)
    grads, output = gradients_of(model.train(), batch, Criterion(task))
    draws = [model.gradients(grads, output, batch) for _ in range(400)]
    for name, gradient in grads.items():
        noise = torch.stack([draw[name] for draw in draws]) - gradient
        if name.startswith("encode.encoders") and gradient.dim() > 1:
            assert noise.std().item() == pytest.approx(0.5 * gradient.std(correction=0).item(), rel=0.03)
            assert abs(noise.mean()) < 0.05 * gradient.std()
        else:
            assert not noise.any()


@pytest.mark.parametrize(("modalities", "options"), [("vector", {}), ("vector vector", {"alpha": 0.0, "noise": 0.0})])
def test_one_modality_or_no_modulation_is_plain(make_task, make_split, modalities, options):
    task = make_task("classification", modalities)
    model, batch = drawn(task, make_split, **options)
    grads, output = gradients_of(model.train(), batch, Criterion(task))
    for name, changed in model.gradients(grads, output, batch).items():
        torch.testing.assert_close(changed, grads[name])
