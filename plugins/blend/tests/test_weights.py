"""Weights of a blend, worked out by hand, and the losses that they come from."""

import math
from dataclasses import replace

import pytest
import torch
from mmbench_blend.networks import Apart, Blended
from mmbench_blend.weights import FINEST, LEAST, blend_weights, losses_on

from mmbench import Batch, Criterion


def weights(train, validation, start=0.7):
    """Weights without the share that is spread evenly, for networks that start alike on both splits."""
    k = len(train)
    found = blend_weights(torch.full((2, k), start).double(), torch.tensor([train, validation]).double())
    assert found.sum().item() == pytest.approx(1)
    return ((found - LEAST / k) / (1 - LEAST)).tolist()


def test_known_values():
    """G = .2, .3, .1 and O = .1, .2, .05, so that G/O² = 20, 7.5, 40."""
    assert weights([0.4, 0.2, 0.55], [0.5, 0.4, 0.6]) == pytest.approx([20 / 67.5, 7.5 / 67.5, 40 / 67.5])


def test_is_the_same_in_any_unit_of_loss():
    start, end = torch.tensor([[0.7, 0.8], [0.71, 0.82]]), torch.tensor([[0.4, 0.5], [0.5, 0.7]])
    torch.testing.assert_close(blend_weights(5 * start, 5 * end), blend_weights(start, end))


def test_splits_that_differ_at_the_start_are_no_overfitting():
    """O is the growth of the gap between validation and train."""
    start = torch.tensor([[0.7, 0.7], [0.9, 0.7]]).double()
    end = torch.tensor([[0.4, 0.4], [0.7, 0.5]]).double()  # both gain .2 and open the gap by .1
    torch.testing.assert_close(blend_weights(start, end), torch.full((2,), 0.5).double())


def test_what_does_not_generalise_has_the_common_share_alone():
    found = blend_weights(torch.full((2, 3), 0.7), torch.tensor([[0.1, 0.6, 0.6], [0.9, 0.7, 0.65]]))
    torch.testing.assert_close(found, torch.tensor([LEAST / 3, LEAST / 3, 1 - 2 * LEAST / 3]))
    nothing = blend_weights(torch.full((2, 3), 0.7), torch.full((2, 3), 0.8))
    torch.testing.assert_close(nothing, torch.full((3,), 1 / 3))


def test_overfitting_too_small_to_be_told_is_bounded():
    finest = FINEST * 0.7
    bounded = weights([0.5, 0.4], [0.5, 0.5])  # O is 0 and .1, G is .2 in both
    a, b = 0.2 / finest**2, 0.2 / 0.1**2
    assert bounded == pytest.approx([a / (a + b), b / (a + b)])


@pytest.mark.parametrize("kind", ["classification", "multilabel", "regression"])
def test_losses_of_a_split_are_those_of_the_criterion(make_task, make_split, kind):
    task = make_task(kind, "vector vector")
    split = make_split(task, 20, missing=True, dtype=torch.float64)
    split = replace(split, labelled=torch.arange(20) % 4 > 0)
    torch.manual_seed(0)
    model = Apart(task, 8, 8).double().eval()
    model.begin(split)
    output = model(split.inputs)
    batch = Batch(split.inputs, split.target, torch.arange(20), torch.tensor(0.0), labelled=split.labelled)
    found = losses_on(task, split, output.prediction, output.unimodal)
    assert found.shape == (3,)
    torch.testing.assert_close(found.sum(), model.loss(output, batch, Criterion(task)))
    rows = (split.inputs.here("vector1") & split.labelled).nonzero()[:, 0]
    part = split.take(rows)
    alone = Criterion(task)(output.unimodal["vector1"][rows], Batch(part.inputs, part.target, rows, torch.tensor(0.0)))
    torch.testing.assert_close(found[1], alone)


def test_networks_apart_share_no_parameter(make_task, make_split):
    task = make_task("classification", "vector image")
    split = make_split(task, 16)
    model = Apart(task, 8, 8).eval()
    model.begin(split)
    batch = Batch(split.inputs, split.target, torch.arange(16), torch.tensor(0.0))

    def gradients(pick):
        model.zero_grad()
        output = model(split.inputs)
        Criterion(task)(pick(output), batch).backward()
        return {name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}

    fused, first, second = (
        gradients(pick)
        for pick in (lambda o: o.prediction, lambda o: o.unimodal["vector0"], lambda o: o.unimodal["image1"])
    )
    assert not fused & first
    assert not fused & second
    assert not first & second
    assert fused | first | second == {name for name, _ in model.named_parameters()} - {"encode.missing"}


def test_loss_is_weighted(make_task, make_split):
    task = make_task("classification", "vector image")
    split = make_split(task, 30, missing=True)
    model = Blended(task, [0.2, 0.3, 0.5], 8, 8).eval()
    model.begin(split)
    output = model(split.inputs)
    batch, criterion = Batch(split.inputs, split.target, torch.arange(30), torch.tensor(0.0)), Criterion(task)
    expected = 0.5 * criterion(output.prediction, batch)
    for weight, (name, logits) in zip((0.2, 0.3), output.unimodal.items(), strict=True):
        expected = expected + weight * criterion(logits, batch, split.inputs.here(name).float())
    torch.testing.assert_close(model.loss(output, batch, criterion), expected)
    gone = output.unimodal["vector0"][~split.inputs.here("vector0")]
    assert gone.exp().mean().item() == pytest.approx(1 / 3)
    assert math.isclose(gone.std().item(), 0, abs_tol=1e-6)
