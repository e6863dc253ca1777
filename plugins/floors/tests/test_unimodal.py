"""One modality alone: it reads that one, and knows the prior where there is nothing to read."""

import pytest
import torch
from mmbench_floors.unimodal import Unimodal
from torch.func import functional_call, grad, stack_module_state, vmap

from mmbench import Batch, Criterion, MmbenchError
from mmbench.train.run import CellRun

ALL = "vector image spectrogram sequence fast frames tokens wide vector tokens"
NAMES = [f"{name}{i}" for i, name in enumerate(ALL.split())]


def batch_of(split):
    return Batch(split.inputs, split.target, torch.arange(len(split)), torch.zeros((), dtype=torch.float64))


def build(task, split, modality="", seed=0):
    torch.manual_seed(seed)
    model = Unimodal(task, modality=modality, width=8, hidden=8).double().eval()
    model.begin(split)
    return model


@pytest.mark.parametrize("modality", NAMES)
@pytest.mark.parametrize("kind", ["classification", "multilabel", "regression", "anomaly"])
def test_reads_its_modality_alone(make_task, make_split, kind, modality):
    task = make_task(kind, ALL)
    split = make_split(task, 20, missing=True, dtype=torch.float64)
    model = build(task, split, modality)
    output = model(split.inputs)
    here = split.inputs.here(modality)
    assert output.prediction.shape == (20, task.outputs)
    assert set(output.embeddings) == {modality}

    other = make_split(task, 20, seed=1, dtype=torch.float64).inputs
    spoilt = dict(other.values)
    kept = here.reshape(-1, *[1] * (spoilt[modality].dim() - 1))
    spoilt[modality] = torch.where(kept, split.inputs.values[modality], spoilt[modality])
    lengths = dict(other.lengths)
    if modality in lengths:
        lengths[modality] = torch.where(here, split.inputs.lengths[modality], lengths[modality])
    again = model(type(other)(spoilt, split.inputs.present, lengths))
    assert torch.equal(again.prediction, output.prediction)

    target = split.target
    if kind == "classification":
        frequency = torch.bincount(target, minlength=3).double() / 20
        torch.testing.assert_close(output.prediction[~here].softmax(-1), frequency.expand((~here).sum(), 3))
    elif kind == "regression":
        torch.testing.assert_close(output.prediction[~here], target.mean(0).expand((~here).sum(), -1))
    else:
        torch.testing.assert_close(output.prediction[~here].sigmoid(), target.mean(0).expand((~here).sum(), -1))


def test_rows_without_it_do_not_train_it(make_task, make_split):
    task = make_task("classification", "vector vector")
    split = make_split(task, 30, missing=True, dtype=torch.float64)
    model, criterion = build(task, split), Criterion(task)
    rows = split.take(split.inputs.here("vector0").nonzero().flatten())
    whole = model.loss(model(split.inputs), batch_of(split), criterion)
    part = criterion(model(rows.inputs).prediction, batch_of(rows))
    assert len(rows) < len(split)
    torch.testing.assert_close(whole, part)


@pytest.mark.parametrize("modality", NAMES)
def test_every_parameter_learns_and_seeds_go_together(make_task, make_split, modality):
    task = make_task("classification", ALL)
    split = make_split(task, 12, missing=True, dtype=torch.float64)
    seeds = [build(task, split, modality, seed) for seed in range(3)]
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
            assert parameter.grad.any()
            torch.testing.assert_close(together[key][i], parameter.grad, atol=1e-10, rtol=0)


def test_first_modality_by_default_and_no_other_name(make_task):
    task = make_task("classification", "vector image")
    assert Unimodal(task).name == "vector0"
    with pytest.raises(MmbenchError, match="did you mean image1"):
        Unimodal(task, modality="image")


def test_learns(make_task, make_split):
    task = make_task("classification", "vector vector")
    split = make_split(task, 300, missing=True)
    split.inputs.values["vector1"][:, :3] += 4 * torch.nn.functional.one_hot(split.target, 3)
    train, test = split.take(torch.arange(200)), split.take(torch.arange(200, 300))
    fitted = CellRun(task, 0, options={"lr": 1e-2, "batch": 50, "epochs": 15}).train(
        lambda: Unimodal(task, modality="vector1", width=16, hidden=16), train, test
    )
    here = test.inputs.here("vector1")
    assert (fitted.predict(test).argmax(1) == test.target)[here].float().mean() >= 0.95
