"""The parts of the definition, and the limits in which the model is a simpler one."""

import pytest
import torch
import torch.nn.functional as F
from mmbench_dhcnn.dhcnn import DhcnnStyle
from torch import nn

MIX = "image sequence vector"


@pytest.fixture(params=[1, 2])
def levels(request):
    return request.param


def build(task, **more):
    """In float64 and eval mode; no missing token is zero any more."""
    torch.manual_seed(0)
    model = DhcnnStyle(task, width=16, hidden=16, **more).double().eval()
    for level in model.levels:
        if level.missing is not None:
            nn.init.normal_(level.missing)
    return model


def test_without_attention_it_is_late_fusion_of_normalised_codes(make_task, make_split, levels):
    """A zero output projection leaves LN(u + e)."""
    task = make_task("classification", MIX)
    model, inputs = build(task, levels=levels), make_split(task, 16, missing=True, dtype=torch.float64).inputs
    for level in model.levels:
        nn.init.zeros_(level.attend.leave.weight)
        nn.init.zeros_(level.modality)
    output = model(inputs)
    codes = [output.embeddings[name].split(16, 1) for name in task.names]
    late = torch.cat([F.layer_norm(code[i], (16,)) for i in range(levels) for code in codes], 1)
    torch.testing.assert_close(output.fused, late)
    torch.testing.assert_close(output.prediction, model.head(late))


def test_every_level_is_its_stage(make_task, make_split, levels):
    """u = S(P v) of the stages, the last of which is the encoder's vector; S is the same for all modalities."""
    task = make_task("classification", MIX)
    model, inputs = build(task, levels=levels), make_split(task, 8, dtype=torch.float64).inputs
    encoded, embeddings = model.encode(inputs), model(inputs).embeddings
    for i, name in enumerate(task.names):
        stages = encoded.stages[name][-levels:]
        assert torch.equal(stages[-1], encoded.vectors[name])
        codes = [level.shared(level.project[i](v)) for level, v in zip(model.levels, stages, strict=True)]
        torch.testing.assert_close(embeddings[name], torch.cat(codes, 1))


def test_absent_modality_is_the_token_and_nobody_attends_to_it(make_task, make_split, levels):
    task = make_task("classification", MIX)
    model, inputs = build(task, levels=levels), make_split(task, 8, dtype=torch.float64).inputs
    without = inputs.without(task.names[1])
    output = model(without)
    tokens = torch.cat([level.missing for level in model.levels])
    torch.testing.assert_close(output.embeddings[task.names[1]], tokens.expand(8, -1))
    u = torch.stack([output.embeddings[name] for name in task.names], 1).split(16, 2)
    attended = output.fused.reshape(8, levels, 3, 16)
    for i, level in enumerate(model.levels):
        two = (u[i] + level.modality)[:, [0, 2]]  # as if there were no other modality
        expected = level.norm(two + level.attend(two, torch.ones(8, 2, dtype=torch.bool)))
        torch.testing.assert_close(attended[:, i, [0, 2]], expected)


def test_masked_modality_leaves_the_output_as_it_is(make_task, make_split, levels):
    task = make_task("classification", MIX)
    model, split = build(task, levels=levels), make_split(task, 8, dtype=torch.float64)
    other = make_split(task, 8, seed=1, dtype=torch.float64).inputs
    name = task.names[2]
    gone = split.inputs.without(name)
    spoilt = split.inputs.without(name)
    spoilt.values[name] = other.values[name]
    assert torch.equal(model(spoilt).prediction, model(gone).prediction)
    assert not torch.allclose(model(split.inputs).prediction, model(gone).prediction)


def test_one_modality_has_neither_query_nor_token(make_task, make_split, levels):
    """Attention to the only modality is linear: A = LN(u + W_O V u)."""
    task = make_task("classification", "vector")
    model, inputs = build(task, levels=levels), make_split(task, 8, dtype=torch.float64).inputs
    names = {name.split(".", 2)[2] for name, _ in model.named_parameters() if name.startswith("levels")}
    assert not names & {"missing", "modality"}
    output = model(inputs)
    expected = []
    for level, u in zip(model.levels, output.embeddings["vector0"].split(16, 1), strict=True):
        assert level.attend.enter.weight.shape == (16, 16)
        expected.append(level.norm(u + u @ (level.attend.leave.weight @ level.attend.enter.weight).T))
    torch.testing.assert_close(output.fused, torch.cat(expected, 1))


def test_regression_is_the_identity_of_the_head(make_task, make_split):
    task = make_task("regression", MIX, 1)
    model = build(task)
    output = model(make_split(task, 8, dtype=torch.float64).inputs)
    assert output.prediction.shape == (8, 1)
    layers = model.head.layers
    first, last = layers[0], layers[-1]
    expected = F.linear(F.relu(F.linear(output.fused, first.weight, first.bias)), last.weight, last.bias)
    torch.testing.assert_close(output.prediction, expected)
