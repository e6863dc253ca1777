"""Known values of the fusion models here, and equivalences between them. What every method has to be stands in the
contract (``mmbench.testing.contract``)."""

from dataclasses import replace

import pytest
import torch
from mmbench_levels.decision import Decision
from mmbench_levels.early import Early
from mmbench_levels.hybrid import Hybrid
from mmbench_levels.late import Late
from torch import nn

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


def with_loud_absences(inputs):
    """The same, with nonsense where a modality is absent."""
    values = {}
    for name, value in inputs.values.items():
        gone = ~inputs.here(name).reshape(-1, *[1] * (value.dim() - 1))
        values[name] = torch.where(gone, 1e3 * torch.randn_like(value), value)
    lengths = {name: torch.where(inputs.here(name), x, x.max()) for name, x in inputs.lengths.items()}
    return Inputs(values, inputs.present, lengths)


@pytest.mark.parametrize("name", ["early-data", "early-feature"])
@pytest.mark.parametrize(
    "modalities", ["image spectrogram vector", "sequence fast vector", "frames sequence vector", "frames frames"]
)
def test_early_fusion_is_sound_on_every_grid(make_task, make_split, name, modalities):
    """Absent modalities do not matter, rows are their own, every parameter learns."""
    task = make_task("classification", modalities)
    split = make_split(task, 24, missing=True, dtype=torch.float64)
    model = build(name, task, split)
    output = model(split.inputs).prediction
    assert torch.equal(model(with_loud_absences(split.inputs)).prediction, output)
    alone = model(split.inputs.take(torch.tensor([5]))).prediction
    torch.testing.assert_close(alone[0], output[5], atol=1e-12, rtol=1e-12)
    Criterion(task)(output, batch_of(split)).backward()
    assert not [key for key, p in model.named_parameters() if p.grad is None or not p.grad.any()]


@pytest.mark.parametrize("rule", ["max", "vote", "product"])
def test_rule_without_meaning_is_refused(make_task, rule):
    with pytest.raises(MmbenchError, match="no meaning for regression"):
        Decision(make_task("regression", "vector"), rule=rule)


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
