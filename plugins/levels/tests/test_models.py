"""What every fusion model here has to be: for all kinds of modality, sets of them and tasks."""

from dataclasses import replace

import pytest
import torch
from mmbench_levels.decision import Decision
from mmbench_levels.early import Early
from mmbench_levels.hybrid import Hybrid
from mmbench_levels.late import Late
from torch import nn
from torch.func import functional_call, grad, stack_module_state, vmap

from mmbench import Batch, Criterion, Inputs, MmbenchError

BUILD = {
    "early-data": lambda task: Early(task, level="data", width=8, hidden=8),
    "early-feature": lambda task: Early(task, level="feature", width=8, hidden=8),
    "late": lambda task: Late(task, width=8, hidden=8),
    "hybrid": lambda task: Hybrid(task, width=8, hidden=8),
    **{
        f"decision-{rule}": lambda task, rule=rule: Decision(task, rule=rule, width=8, hidden=8)
        for rule in ("mean", "weighted", "max", "vote", "product")
    },
}
MIXES = [
    "vector",
    "image",
    "spectrogram",
    "sequence",
    "frames",
    "tokens",
    "vector vector",
    "image spectrogram vector",
    "sequence fast vector",
    "frames sequence vector",
    "tokens tokens",
    "image wide tokens sequence vector",
    "vector " * 10,
    "image wide spectrogram sequence fast frames tokens vector vector tokens",
]
TASKS = ["classification", "multilabel", "regression", "anomaly"]
models = pytest.mark.parametrize("name", BUILD)


def can(name, kind):
    return kind != "regression" or name not in ("decision-max", "decision-vote", "decision-product")


def build(name, task, split, seed=0):
    """A model in float64 and eval mode, begun."""
    torch.manual_seed(seed)
    model = BUILD[name](task).double().eval()
    model.begin(split)
    for parameter in model.parameters():  # as after training: no missing token is zero any more
        if not parameter.any():
            nn.init.normal_(parameter)
    return model


def batch_of(split):
    rows = torch.arange(len(split))
    return Batch(split.inputs, split.target, rows, torch.zeros((), dtype=torch.float64))


def garbage(inputs: Inputs) -> Inputs:
    """The same, with nonsense where a modality is absent."""
    values, lengths = dict(inputs.values), dict(inputs.lengths)
    for name, value in values.items():
        gone = ~inputs.here(name).reshape(-1, *[1] * (value.dim() - 1))
        noise = torch.randint_like(value, 1, 11) if value.dtype == torch.long else 1e3 * torch.randn_like(value)
        values[name] = torch.where(gone, noise, value)
        if name in lengths:
            lengths[name] = torch.where(inputs.here(name), lengths[name], value.shape[1])
    return Inputs(values, inputs.present, lengths)


@models
@pytest.mark.parametrize("kind", TASKS)
@pytest.mark.parametrize("modalities", MIXES)
def test_runs_and_absent_modalities_do_not_matter(make_task, make_split, name, kind, modalities):
    task = make_task(kind, modalities)
    if not can(name, kind):
        with pytest.raises(MmbenchError, match="no meaning for regression"):
            BUILD[name](task)
        return
    split = make_split(task, 12, missing=True, dtype=torch.float64)
    model = build(name, task, split)
    output = model(split.inputs)
    assert output.prediction.shape == (12, task.outputs)
    assert output.prediction.isfinite().all()
    for field in (output.embeddings, output.unimodal):
        assert set(field) in (set(), set(task.names))

    spoilt = garbage(split.inputs)
    floats = {name: value.requires_grad_() for name, value in spoilt.values.items() if value.is_floating_point()}
    again = model(spoilt)
    assert torch.equal(again.prediction, output.prediction)
    for name in output.unimodal:
        assert torch.equal(again.unimodal[name], output.unimodal[name])
    again.prediction.square().sum().backward()
    for name, value in floats.items():
        assert (value.grad[~spoilt.here(name)] == 0).all()


@models
@pytest.mark.parametrize("modalities", MIXES)
def test_a_row_is_its_own(make_task, make_split, name, modalities):
    task = make_task("classification", modalities)
    split = make_split(task, 6, missing=True, dtype=torch.float64)
    model = build(name, task, split)
    together = model(split.inputs).prediction
    for row in range(6):
        alone = model(split.inputs.take(torch.tensor([row]))).prediction
        torch.testing.assert_close(alone[0], together[row], atol=1e-12, rtol=1e-12)


@models
@pytest.mark.parametrize("modalities", MIXES)
def test_every_parameter_learns(make_task, make_split, name, modalities):
    task = make_task("classification", modalities)
    split = make_split(task, 64, missing=True, dtype=torch.float64)
    model = build(name, task, split).train()
    loss = model.loss(model(split.inputs), batch_of(split), Criterion(task))
    loss.backward()
    idle = [key for key, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert not idle


@models
@pytest.mark.parametrize("modalities", MIXES)
def test_seeds_together_are_seeds_apart(make_task, make_split, name, modalities):
    """Predictions and gradients of three seeds under ``vmap`` against one after another."""
    task = make_task("classification", modalities)
    split = make_split(task, 8, missing=True, dtype=torch.float64)
    seeds = [build(name, task, split, seed) for seed in range(3)]
    batch, criterion = batch_of(split), Criterion(task)

    def loss(parameters, buffers):
        output = functional_call(seeds[0], (parameters, buffers), (batch.inputs,))
        return seeds[0].loss(output, batch, criterion), output.prediction

    together, predictions = vmap(grad(loss, has_aux=True))(*stack_module_state(seeds))
    for i, model in enumerate(seeds):
        output = model(split.inputs)
        torch.testing.assert_close(predictions[i], output.prediction, atol=1e-10, rtol=0)
        model.loss(output, batch, criterion).backward()
        for key, parameter in model.named_parameters():
            torch.testing.assert_close(together[key][i], parameter.grad, atol=1e-10, rtol=0)


@pytest.mark.parametrize("name", ["late", "decision-mean", "decision-weighted", "decision-product", "decision-max"])
@pytest.mark.parametrize("modality", ["vector", "image", "sequence", "tokens"])
def test_one_modality_is_unimodal(make_task, make_split, name, modality):
    """Given the same weights; so that rows of one modality differ by what is fused alone."""
    floors = pytest.importorskip("mmbench_floors.unimodal")
    task = make_task("classification", modality)
    split = make_split(task, 8, dtype=torch.float64)
    model = build(name, task, split)
    alone = floors.Unimodal(task, width=8, hidden=8).double().eval()
    state = {key.replace("heads.heads.0.", "head."): value for key, value in model.state_dict().items()}
    assert alone.load_state_dict(state, strict=False).missing_keys == ["prior"]
    alone.begin(split)
    expected = alone(split.inputs).prediction.softmax(-1)
    torch.testing.assert_close(model(split.inputs).prediction.softmax(-1), expected, atol=1e-12, rtol=0)


def test_late_without_hidden_layer_is_linear_in_the_concatenation(make_task, make_split):
    task = make_task("classification", "vector image")
    model = Late(task, width=8, hidden=0)
    output = model(make_split(task, 4).inputs)
    layer = model.head.layers[0]
    together = torch.cat([output.embeddings[name] for name in task.names], 1)
    torch.testing.assert_close(output.prediction, together @ layer.weight.T + layer.bias)


def test_absent_modality_is_answered_with_the_prior(make_task, make_split):
    task = make_task("classification", "vector vector")
    split = make_split(task, 30, missing=True, dtype=torch.float64)
    for name in ("decision-mean", "hybrid"):
        unimodal = build(name, task, split)(split.inputs).unimodal
        for modality, logits in unimodal.items():
            gone = logits[~split.inputs.here(modality)]
            torch.testing.assert_close(gone.softmax(-1), torch.full_like(gone, 1 / 3))


def test_decision_is_trained_on_present_rows_alone(make_task, make_split):
    task = make_task("classification", "vector vector")
    split = make_split(task, 30, missing=True, dtype=torch.float64)
    model, criterion = build("decision-mean", task, split), Criterion(task)
    loss = model.loss(model(split.inputs), batch_of(split), criterion)
    expected = 0.0
    for modality in task.names:
        rows = split.take(split.inputs.here(modality).nonzero().flatten())
        expected += criterion(model(rows.inputs).unimodal[modality], batch_of(rows))
    torch.testing.assert_close(loss, expected)


def test_hybrid_blends_late_and_mean(make_task, make_split):
    task = make_task("multilabel", "vector image")
    split = make_split(task, 16, missing=True, dtype=torch.float64)
    model = build("hybrid", task, split)
    with torch.no_grad():
        model.blend.fill_(torch.tensor(0.25).logit())
    output, here = model(split.inputs), split.inputs.present.double()[..., None]
    p = torch.stack([logits.sigmoid() for logits in output.unimodal.values()], 1)
    decision = ((p * here).sum(1) / here.sum(1)).logit()
    torch.testing.assert_close(output.prediction, 0.25 * model.feature(output.fused) + 0.75 * decision)
    batch, criterion = batch_of(split), Criterion(task)
    loss = criterion(output.prediction, batch)
    for name, logits in output.unimodal.items():
        loss = loss + 0.3 * criterion(logits, batch, split.inputs.here(name).double())
    torch.testing.assert_close(model.loss(output, batch, criterion), loss)


def test_unlabelled_rows_do_not_shift_the_prior(make_task, make_split):
    task = make_task("classification", "vector")
    split = make_split(task, 30)
    labelled = split.target == 1
    model = Decision(task)
    model.begin(replace(split, labelled=labelled, target=torch.where(labelled, split.target, 0)))
    torch.testing.assert_close(model.heads.prior.softmax(0), torch.tensor([0.5, 10, 0.5]) / 11)
