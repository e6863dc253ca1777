"""Interaction, confidences and what an absent tower does."""

import pytest
import torch
from mmbench_bitower.towers import Interaction, TwoTowers

from mmbench import MmbenchError


def towers(task, **options):
    torch.manual_seed(0)
    return TwoTowers(task, task.names[0], width=8, hidden=8, **options).double().eval()


def test_interaction_grows_with_similarity_from_nothing():
    torch.manual_seed(0)
    interact = Interaction(3).eval()
    first = torch.tensor([[1.0, 0, 0]]).expand(4, -1)
    second = torch.tensor([[2.0, 0, 0], [1, 1, 0], [0, 1, 0], [-1, 1, 0]])
    added = interact(first, second, torch.ones(4).bool())
    mlp = interact.mlp(torch.cat([first, second], 1))
    cosines = torch.tensor([1, 0.5**0.5, 0, 0])
    torch.testing.assert_close(added, cosines[:, None] * mlp)
    assert not interact(first, second, torch.zeros(4).bool()).any()


def test_dissimilar_towers_are_left_as_they_are(make_task):
    model = towers(make_task("classification", "vector vector"))
    h = torch.randn(5, 1, 8, dtype=torch.float64) * torch.tensor([1.0, -1.0])[:, None]
    present = torch.ones(5, 2).bool()
    c = model.gate(h, present)
    expected = (c[..., None] * h).sum(1) / c.sum(1, keepdim=True)
    torch.testing.assert_close(model.fuse(h, present), expected)


@pytest.mark.parametrize("rest", ["mean", "concat"])
def test_a_modality_alone_is_its_own_vector(make_task, rest):
    model = towers(make_task("classification", "vector image tokens"), rest=rest)
    h = torch.randn(3, 3, 8, dtype=torch.float64)
    present = torch.eye(3).bool()
    alone = h * present[..., None]
    torch.testing.assert_close(model.fuse(alone, present), torch.stack([h[m, m] for m in range(3)]))


def test_tower_two_is_the_mean_of_those_that_are_there(make_task):
    model = towers(make_task("classification", "vector image tokens"))
    h = torch.randn(1, 3, 8, dtype=torch.float64).abs()
    h[:, 2] = 0
    present = torch.tensor([[True, True, False]])
    r = h + model.interact(h[:, 0], h[:, 1], torch.ones(1).bool())[:, None]
    c = model.gate(r, present)
    torch.testing.assert_close(model.fuse(h, present), (c[..., None] * r).sum(1) / c.sum(1, keepdim=True))


def test_keeping_all_is_soft_and_keeping_one_is_one(make_task):
    task = make_task("classification", "vector image tokens")
    h, present = torch.randn(20, 3, 8, dtype=torch.float64), torch.ones(20, 3).bool()
    soft, all_three, one = towers(task), towers(task, top=3), towers(task, top=1)
    assert torch.equal(soft.fuse(h, present), all_three.fuse(h, present))
    r = h + one.interact(h[:, 0], h[:, 1:].mean(1), torch.ones(20).bool())[:, None]
    c = one.gate(r, present)
    best = c.argmax(1)
    torch.testing.assert_close(one.fuse(h, present), r[torch.arange(20), best])
    assert len(best.unique()) > 1


def test_mean_field_is_close_to_enumeration(make_task, make_split):
    task = make_task("classification", "vector image tokens")
    inputs = make_split(task, 20, missing=True, dtype=torch.float64).inputs
    exact, approximate = (towers(task, inference=inference)(inputs).fused for inference in ("exact", "mean-field"))
    assert 0 < (exact - approximate).abs().max() < 0.2 * exact.abs().max()


def test_one_modality_has_one_tower_and_nothing_idle(make_task, make_split):
    task = make_task("classification", "image")
    model = towers(task)
    output = model(make_split(task, 4, dtype=torch.float64).inputs)
    assert torch.equal(output.fused, output.embeddings["image0"])
    assert {name.partition(".")[0] for name, _ in model.named_parameters()} == {"encode", "head"}


@pytest.mark.parametrize("modalities", ["vector vector", "image tokens sequence vector"])
@pytest.mark.parametrize("options", [{}, {"top": 1}, {"rest": "concat"}, {"inference": "mean-field"}])
def test_every_parameter_learns_and_absent_values_do_not_matter(make_task, make_split, modalities, options):
    """The contract's checks see the estimator alone, not the model inside."""
    task = make_task("classification", modalities)
    split = make_split(task, 64, missing=True, dtype=torch.float64)
    model = towers(task, **options)
    model(split.inputs).prediction.square().sum().backward()
    assert all(p.grad.any() and p.grad.isfinite().all() for p in model.parameters())
    loud = make_split(task, 64, 1, dtype=torch.float64).inputs
    spoilt = split.inputs.merge(loud)
    again = type(spoilt)(spoilt.values, split.inputs.present, split.inputs.lengths)
    torch.testing.assert_close(model(again).prediction, model(split.inputs).prediction, rtol=0, atol=1e-12)


def test_lead_has_to_be_there(make_task):
    with pytest.raises(MmbenchError, match="tower 1 is one of vector0, image1"):
        TwoTowers(make_task("classification", "vector image"), "image")
