"""MulT: which pairs there are, and what each of them sees."""

from dataclasses import replace

import pytest
import torch
from mmbench_tensor import mmbench_methods
from mmbench_tensor.mult import Mult
from torch.nn.functional import pad
from torch.testing import assert_close

CARDS = {card.name: card for card in mmbench_methods()}


def build(task, **more):
    torch.manual_seed(0)
    return Mult(task, width=8, hidden=8, layers=1, **more).double().eval()


@pytest.mark.parametrize("modalities", [1, 2, 3, 6])
def test_width_is_that_of_all_ordered_pairs(make_task, make_split, modalities):
    task = make_task("classification", "vector " * modalities)
    output = build(task)(make_split(task, 3, dtype=torch.float64).inputs)
    pairs = modalities * (modalities - 1)
    assert output.fused.shape[1] == 30 * (pairs or 1)  # without j = i


def test_pairs_are_those_of_the_paper(make_task):
    model = build(make_task("classification", "vector vector vector"))
    pairs = list(zip(model.target.tolist(), model.source.tolist(), strict=True))
    assert pairs == [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]


def test_pairs_go_to_their_targets():
    x = torch.arange(6.0).reshape(6, 1, 1, 1).expand(6, 2, 3, 4)
    by_target = Mult._by_target(x, 3)
    assert by_target.shape == (3, 2, 3, 8)
    assert by_target[:, 0, 0, ::4].tolist() == [[0, 1], [2, 3], [4, 5]]


def test_a_pair_sees_its_target_and_its_source_alone(make_task, make_split):
    """Without the memory: Z_ij moves with modalities i and j, and with no other."""
    task = make_task("classification", "vector sequence image")
    model, seen = build(task), []
    model.cross.register_forward_hook(lambda module, args, out: seen.append(out))
    inputs = make_split(task, 4, dtype=torch.float64).inputs
    model(inputs)
    for m, name in enumerate(task.names):
        model(inputs.without(name))
        for pair, (i, j) in enumerate(zip(model.target.tolist(), model.source.tolist(), strict=True)):
            assert torch.equal(seen[0][pair], seen[-1][pair]) == (m not in (i, j))


def test_padding_of_a_sequence_does_not_matter(make_task, make_split):
    task = make_task("classification", "vector sequence")
    inputs = make_split(task, 6, dtype=torch.float64).inputs
    name, model = task.names[1], build(task)
    padded = {**inputs.values, name: pad(inputs.values[name], (0, 0, 0, 4))}
    assert_close(model(replace(inputs, values=padded)).prediction, model(inputs).prediction)


def test_tokens_are_shared_among_the_modalities(make_task, make_split):
    task = make_task("classification", "fast fast fast")
    model, seen = build(task, tokens=16), []
    model.memory.register_forward_pre_hook(lambda module, args: seen.append(args[0].shape))
    model(make_split(task, 4, dtype=torch.float64).inputs)
    assert seen == [(3, 4, 4, 60)]  # twelve frames, of which at most five may stay: three to a token


def test_authors_settings_are_one_option_away(make_task):
    model = Mult(make_task("classification", "vector vector"), layers=5)
    assert len(model.cross.layers) == len(model.memory.layers) == 5
    assert {layer.attend.heads for layer in model.cross.layers} == {5}
    assert model.cross.layers[0].attend.query.weight.shape == (2, 30, 30)


def test_number_of_modalities_is_limited(make_task):
    assert not CARDS["mult"].refuses(make_task("classification", "vector " * 6))
    assert "1 to 6 modalities" in CARDS["mult"].refuses(make_task("classification", "vector " * 7))
