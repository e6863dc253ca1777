"""The reconstruction: from the others alone, and the error is the score."""

import pytest
import torch
from mmbench_stcnet.reconstruction import STCNetReconstruction

from mmbench import Batch, Criterion, Inputs, MmbenchError, Modality, Split, Task
from mmbench.train.run import CellRun, as_estimator

MIX = "vector image spectrogram sequence frames"


def build(task):
    torch.manual_seed(0)
    model = STCNetReconstruction(task, width=8, hidden=8).double().eval()
    with torch.no_grad():
        model.slope.normal_()
        model.shift.normal_()
    return model


def batch_of(split):
    return Batch(split.inputs, split.target, torch.arange(len(split)), torch.zeros((), dtype=torch.float64))


def test_a_modality_is_made_from_the_others_alone(make_task, make_split):
    task = make_task("anomaly", MIX)
    inputs = make_split(task, 6, dtype=torch.float64).inputs
    model = build(task)
    before = model(inputs).generated
    for name in task.names:
        changed = Inputs({**inputs.values, name: inputs.values[name] + 1}, inputs.present, inputs.lengths)
        after = model(changed).generated
        for other in task.names:
            assert after[other].shape == inputs.values[other].shape
            assert torch.equal(after[other], before[other]) == (other == name)


def test_prediction_is_an_affine_of_the_errors(make_task, make_split):
    task = make_task("anomaly", "vector sequence frames")
    inputs = make_split(task, 30, missing=True, dtype=torch.float64).inputs
    model = build(task)
    output = model(inputs)
    for row in range(30):
        here = inputs.present[row].nonzero().flatten().tolist()
        which, logits = int(len(here) == 1), []
        for m in here:
            name = task.names[m]
            square = (inputs.values[name][row] - output.generated[name][row]).square()
            if name in inputs.lengths:
                square = square[: inputs.lengths[name][row]]
            logits.append(model.slope[which, m].exp() * square.mean() + model.shift[which, m])
        torch.testing.assert_close(output.prediction[row, 0], torch.stack(logits).mean())


def test_alone_a_modality_is_made_from_nothing(make_task, make_split):
    task = make_task("anomaly", "sequence vector")
    inputs = make_split(task, 6, dtype=torch.float64).inputs.without("vector1")
    made = build(task)(inputs).generated["sequence0"]
    torch.testing.assert_close(made, made[:1].expand_as(made))


def test_normal_rows_alone_are_to_be_reconstructed(make_task, make_split):
    task = make_task("anomaly", "vector sequence")
    split = make_split(task, 30, missing=True, dtype=torch.float64)
    model, criterion = build(task), Criterion(task)
    batch = batch_of(split)
    output = model(split.inputs)
    errors, expected = model.errors(split.inputs, output.generated), criterion(output.prediction, batch)
    for m in range(2):
        expected = expected + errors[(split.target[:, 0] == 0) & split.inputs.present[:, m], m].mean()
    torch.testing.assert_close(model.loss(output, batch, criterion), expected)

    labelled = torch.arange(30) < 15
    first = split.take(torch.arange(15))
    partly = Batch(split.inputs, split.target, batch.index, batch.epoch, labelled=labelled)
    torch.testing.assert_close(
        model.loss(output, partly, criterion), model.loss(model(first.inputs), batch_of(first), criterion)
    )


def pairs(rows, seed):
    """Two views that agree up to noise, and (target 1) views that have nothing to do with each other."""
    g = torch.Generator().manual_seed(seed)
    a, b = torch.randn(2, rows, 4, generator=g).unbind()
    target = (torch.arange(rows) % 2).float()[:, None]
    b = torch.where(target > 0, b, a.flip(1) + 0.1 * b)
    return Split(Inputs({"a": a, "b": b}, torch.ones(rows, 2, dtype=torch.bool)), target)


def test_learns_which_pairs_belong_together():
    task = Task("anomaly", 1, (Modality("a", "vector", (4,)), Modality("b", "vector", (4,))))
    run = CellRun(task, 0, options={"lr": 1e-2, "batch": 64, "epochs": 20})
    estimator = as_estimator(lambda: STCNetReconstruction(task, width=16, hidden=16), 0, "reconstruction")
    estimator.fit(pairs(1000, 0), pairs(200, 1), run)
    test = pairs(400, 2)
    assert ((estimator.predict(test.withheld()) > 0.5) == (test.target > 0)).float().mean() >= 0.95


def test_needs_two_modalities(make_task):
    with pytest.raises(MmbenchError, match="two modalities"):
        STCNetReconstruction(make_task("anomaly", "vector"))
