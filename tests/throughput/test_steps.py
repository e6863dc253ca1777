"""What is timed are the trainer's own steps, forward passes, and whole predictions of estimators."""

import pytest
import torch
from torch import nn

from mmbench import FusionModel, FusionOutput, Head, ModalityEncoders, Training
from mmbench.core.arithmetic import Arithmetic
from mmbench.core.training import Stage
from mmbench.throughput.steps import EstimatorSteps, InferenceSteps, TrainingSteps, drawn
from mmbench.train.run import CellRun

CPU = torch.device("cpu")


class Small(FusionModel):
    training_options = Training(batch=None, floor=1, stages=(Stage(epochs=1),), select="last")

    def __init__(self, task):
        super().__init__()
        self.encode = ModalityEncoders(task, 4)
        self.head = Head(task, 4 * len(task.modalities))

    def forward(self, inputs):
        return FusionOutput(prediction=self.head(self.encode(inputs).concat()))


class Linear(FusionModel):
    def __init__(self, task):
        super().__init__()
        self.one = nn.Linear(task.modalities[0].shape[0], task.outputs)

    def forward(self, inputs):
        return FusionOutput(prediction=self.one(next(iter(inputs.values.values()))))


def prepared(task, split, build):
    run = CellRun(task, 0, Arithmetic(dtype="float64"))
    objective, options = run.prepare(lambda: build(task), split)
    return TrainingSteps(objective, options, split)


@pytest.fixture
def problem(make_task, make_split):
    task = make_task("classification", "vector vector")
    return task, make_split(task, 24, dtype=torch.float64)


@pytest.mark.parametrize("kinds", ["vector vector", "image sequence", "tokens spectrogram vector"])
@pytest.mark.parametrize("kind", ["classification", "multilabel", "regression", "anomaly"])
def test_a_step_is_the_trainers(make_task, make_split, kind, kinds):
    task = make_task(kind, kinds)
    split = make_split(task, 12, missing=True, dtype=torch.float64)
    run = CellRun(task, 0, Arithmetic(dtype="float64"))
    trained = run.train(lambda: Small(task), split, split).model  # one step, on the whole split
    steps = prepared(task, split, Small)
    steps.at(12)()
    for (name, ours), theirs in zip(steps.objective.model.named_parameters(), trained.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-8, msg=name)


def test_every_batch_size_starts_from_the_same_state(problem):
    steps = prepared(*problem, Small)
    step = steps.at(8)
    losses = [step() for _ in range(20)]
    assert losses[-1] != losses[0]
    assert steps.at(8)() == losses[0]
    steps.restore()
    after = dict(steps.objective.named_parameters())
    assert all(torch.equal(after[name], value) for name, value in steps.initial.items() if name in after)


def test_the_stage_with_the_most_epochs_is_timed(problem):
    class Staged(Small):
        training_options = Training(stages=(Stage(1), Stage(9, freeze=("encode.",)), Stage(2)))

    steps = prepared(*problem, Staged)
    before = {name: value.clone() for name, value in steps.objective.model.named_parameters()}
    steps.at(8)()
    changed = {name for name, value in steps.objective.model.named_parameters() if not torch.equal(value, before[name])}
    assert changed
    assert all(name.startswith("head.") for name in changed)


def test_inference_needs_no_gradient_and_changes_nothing(problem):
    task, split = problem
    model = Small(task).double()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    prediction = InferenceSteps(model, Arithmetic(dtype="float64"), split).at(5)().prediction
    assert not prediction.requires_grad
    assert prediction.shape == (5, task.outputs)
    assert not model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_an_estimator_predicts_rows_whose_targets_it_never_sees(problem):
    _, split = problem
    seen = []

    class Watching:
        def predict(self, rows):
            seen.append((len(rows), rows.target))

    step = EstimatorSteps(Watching(), split).at(7)
    step(), step()
    assert seen == [(7, None)] * 2


def test_batches_have_every_row_once_before_any_comes_again(problem):
    _, split = problem
    index = torch.cat([index[0] for _, index in drawn(split, 8, CPU)[:3]])
    assert sorted(index.tolist()) == list(range(24))
    (rows, index), *_ = drawn(split, 60, CPU)
    assert len(rows) == 60
    assert torch.bincount(index[0], minlength=24).tolist().count(0) == 0
    torch.testing.assert_close(rows.target, split.target[index[0]])


def test_batches_are_the_same_every_time(problem):
    _, split = problem
    first, second = (torch.cat([index for _, index in drawn(split, 8, CPU)]) for _ in range(2))
    assert torch.equal(first, second)


def test_operations_are_those_of_the_products(make_task, make_split):
    task = make_task("classification", "vector")
    split = make_split(task, 40, dtype=torch.float64)
    forward = 2 * task.modalities[0].shape[0] * task.outputs
    steps = prepared(task, split, Linear)
    assert InferenceSteps(steps.objective.model, Arithmetic(), split).flops().per_sample == forward
    assert steps.flops().per_sample == 2 * forward  # backward: the weight's gradient; inputs need none


def test_an_estimators_operations_are_not_known(problem):
    found = EstimatorSteps(object(), problem[1]).flops()
    assert found.per_sample is None
    assert "estimator" in found.reason or "one model" in found.reason


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_steps_run_on_a_gpu(problem):
    task, split = problem
    run = CellRun(task, 0, Arithmetic(device="cuda", dtype="float64"))
    objective, options = run.prepare(lambda: Small(task), split)
    steps = TrainingSteps(objective, options, split)
    assert steps.at(64)().device.type == "cuda"  # more rows than there are
    assert len(steps.clock.times(steps.at(8), 3)) == 3
