"""All seeds at once give what each seed gives by itself."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.utils import _pytree as pytree

from mmbench import FusionModel, FusionOutput, Inputs, ModalityEncoders, Stage, Training
from mmbench.core.arithmetic import Arithmetic
from mmbench.registry import installed, load
from mmbench.testing.samples import make_split, make_task
from mmbench.train.run import CellRun, ModelEstimator, as_estimator, train_together

SEEDS = (3, 4, 5)
ROWS = 40
TASKS = ("vector vector", "image sequence", "spectrogram tokens vector")
METHODS = sorted(name for name, card in installed().methods.items() if "posterior" not in card.needs)


def without_dropout(build):
    model = build()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return model


def fits(task, build, seeds=SEEDS, **options):
    """Estimators and runs of each seed, in float64 and without dropout, 20 steps of 8 rows each."""
    options = {"batch": 8, "epochs": 4, "lr": 0.01, "floor": 4, **options}
    runs = [CellRun(task, seed, Arithmetic(dtype="float64"), options=options) for seed in seeds]
    return runs, [ModelEstimator(partial(without_dropout, build)) for _ in seeds]


def states(estimators):
    return [estimator.fitted.model.state_dict() for estimator in estimators]


def assert_alike(task, build, split, validation, **options):
    runs, alone = fits(task, build, **options)
    for run, estimator in zip(runs, alone, strict=True):
        estimator.fit(split, validation, run)
    runs, together = fits(task, build, **options)
    assert train_together(runs, together, split, validation) == [None] * len(SEEDS)
    for one, other in zip(states(alone), states(together), strict=True):
        assert one.keys() == other.keys()
        for name, tensor in one.items():
            torch.testing.assert_close(other[name], tensor, rtol=1e-9, atol=1e-9, msg=lambda m, n=name: f"{n}: {m}")
    histories = [[e.fitted.history for e in estimators] for estimators in (alone, together)]
    assert [h.epochs for h in histories[0]] == [h.epochs for h in histories[1]]
    assert [h.best for h in histories[0]] == [h.best for h in histories[1]]


@pytest.mark.parametrize("modalities", TASKS)
@pytest.mark.parametrize("method", METHODS)
def test_every_installed_model_agrees_with_itself_trained_alone(method, modalities):
    task, card = make_task("classification", modalities), installed().methods[method]
    if card.refuses(task, (), False):
        pytest.skip(card.refuses(task, (), False))
    build = partial(load(card), task, **card.preset)
    made = as_estimator(build, 0, method)
    if not isinstance(made, ModelEstimator):
        pytest.skip("an estimator is fitted by its own program")
    if isinstance(reason := made.build().together, str):
        pytest.skip(reason)
    split = make_split(task, ROWS, dtype=torch.float64)
    assert_alike(task, build, split, make_split(task, ROWS, seed=1, dtype=torch.float64))


@pytest.mark.parametrize("options", [{"select": "last"}, {"clip": None}, {"schedule": "cosine", "warmup": 0.3}])
def test_it_agrees_under_every_option_of_the_trainer(options):
    task = make_task("classification", "vector image")
    build = partial(load(installed().methods["late"]), task)
    split = make_split(task, ROWS, dtype=torch.float64)
    assert_alike(task, build, split, split, **options)


@pytest.mark.parametrize("kind", ["regression", "multilabel"])
def test_it_agrees_on_other_tasks_with_missing_modalities(kind):
    task = make_task(kind, "vector sequence")
    build = partial(load(installed().methods["hybrid"]), task)
    split = make_split(task, ROWS, missing=True, dtype=torch.float64)
    assert_alike(task, build, split, make_split(task, ROWS, seed=1, missing=True, dtype=torch.float64))


def test_each_seed_stops_by_itself(toys):
    """Seeds stop at different epochs, and one that has stopped changes no more."""
    train, validation = (
        pytree.tree_map(lambda x: x.double() if x.is_floating_point() else x, s) for s in (toys.train, toys.validation)
    )
    options = {"batch": 16, "epochs": 40, "floor": 2, "patience": 1, "lr": 0.05}
    runs, alone = fits(toys.task, toys.late, **options)
    for run, estimator in zip(runs, alone, strict=True):
        estimator.fit(train, validation, run)
    epochs = [estimator.fitted.history.epochs for estimator in alone]
    assert len(set(epochs)) > 1, "choose other data: all seeds stop at once"
    assert_alike(toys.task, toys.late, train, validation, **options)


class Staged(FusionModel):
    """Two stages with a part frozen in each, batch statistics, a buffer, and a hook on gradients."""

    training_options = Training(stages=(Stage(2, freeze=("head",)), Stage(2, lr=0.5, freeze=("encode",))))

    def __init__(self, task):
        super().__init__()
        self.encode = ModalityEncoders(task, 8)
        self.norm = nn.BatchNorm1d(5)  # of raw inputs: a bias before it would have gradient zero plus rounding
        self.head = nn.Linear(21, task.outputs)
        self.register_buffer("seen", torch.zeros(()))
        self.gradients = self.halve

    def forward(self, inputs: Inputs) -> FusionOutput:
        if self.training:
            self.seen += 1
        raw = self.norm(inputs.values["vector0"])
        return FusionOutput(self.head(torch.cat([raw, self.encode(inputs).concat()], 1)))

    @staticmethod
    def halve(given, output, batch):
        return {name: gradient / 2 for name, gradient in given.items() if "weight" in name}


def test_stages_batch_statistics_buffers_and_hooks_agree():
    task = make_task("classification", "vector vector")
    split = make_split(task, ROWS, dtype=torch.float64)
    assert_alike(task, lambda: Staged(task), split, split)


class Diverging(FusionModel):
    """Seeds whose first weight happens to be positive run into infinity."""

    def __init__(self, task):
        super().__init__()
        self.linear = nn.Linear(5, task.outputs)
        self.register_buffer("fuse", torch.where(self.linear.weight[0, 0] > 0, torch.inf, 1.0).detach())

    def forward(self, inputs: Inputs) -> FusionOutput:
        logits = self.linear(inputs.values["vector0"])
        return FusionOutput(logits * (self.fuse if self.training else 1.0))


def test_a_seed_that_diverges_costs_itself_alone():
    task = make_task("classification", "vector")
    split = make_split(task, ROWS, dtype=torch.float64)
    seeds = tuple(range(8))
    runs, alone = fits(task, lambda: Diverging(task), seeds)
    fates = []
    for run, estimator in zip(runs, alone, strict=True):
        try:
            estimator.fit(split, split, run)
            fates.append("")
        except ArithmeticError as error:
            fates.append(str(error))
    runs, together = fits(task, lambda: Diverging(task), seeds)
    ends = train_together(runs, together, split, split)
    assert not isinstance(ends, str), ends
    assert 0 < sum(end is None for end in ends) < len(seeds)
    assert [str(end or "") for end in ends] == fates
    for fate, one, other in zip(fates, alone, together, strict=True):
        if not fate:
            weight = "linear.weight"
            one, other = one.fitted.model.state_dict()[weight], other.fitted.model.state_dict()[weight]
            torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


class Recurrent(FusionModel):
    def __init__(self, task):
        super().__init__()
        self.gru, self.head = nn.GRU(3, 4, batch_first=True), nn.Linear(4, task.outputs)

    def forward(self, inputs: Inputs) -> FusionOutput:
        return FusionOutput(self.head(self.gru(inputs.values["sequence0"])[0].mean(1)))


class Branching(FusionModel):
    def __init__(self, task):
        super().__init__()
        self.head = nn.Linear(3, task.outputs)

    def forward(self, inputs: Inputs) -> FusionOutput:
        x = inputs.values["sequence0"].mean(1)
        return FusionOutput(self.head(x if self.head.weight.sum() > 0 else -x))


class Unstacked(FusionModel):
    """Keeps a number of its own outside of its state: mapped, all seeds would use that of the first."""

    def __init__(self, task):
        super().__init__()
        self.head, self.secret = nn.Linear(3, task.outputs), torch.rand(()).item()

    def forward(self, inputs: Inputs) -> FusionOutput:
        return FusionOutput(self.head(inputs.values["sequence0"].mean(1)) * self.secret)


class Declared(Branching):
    together = "its branches depend on its weights"


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (Recurrent, "under vmap"),
        (Branching, "under vmap"),
        (Unstacked, "the loss of seed number 2 is another"),
        (Declared, "its branches depend on its weights"),
    ],
)
def test_what_cannot_be_trained_at_once_is_told_and_nothing_is_changed(model, reason):
    task = make_task("classification", "sequence")
    split = make_split(task, ROWS)
    runs = [CellRun(task, seed, options={"epochs": 2}) for seed in SEEDS]
    estimators = [ModelEstimator(lambda: model(task)) for _ in SEEDS]
    said = train_together(runs, estimators, split, split)
    assert isinstance(said, str)
    assert reason in said
    alone = [ModelEstimator(lambda: model(task)).fit(split, split, CellRun(task, seed)) for seed in SEEDS]
    after = [e.fit(split, split, CellRun(task, seed)) for e, seed in zip(estimators, SEEDS, strict=True)]
    for one, other in zip(alone, after, strict=True):
        assert torch.equal(one.predict(split), other.predict(split))


def test_dropout_differs_between_seeds_and_the_company_decides_the_draws(toys):
    """The same seeds give the same bits."""

    def predictions(seeds):
        runs = [CellRun(toys.task, seed, options={"epochs": 3, "batch": 16}) for seed in seeds]
        estimators = [ModelEstimator(lambda: toys.Late(toys.task, hidden=16)) for _ in seeds]
        assert train_together(runs, estimators, toys.train, toys.validation) == [None] * len(seeds)
        return [estimator.predict(toys.validation) for estimator in estimators]

    first, again = predictions(SEEDS), predictions(SEEDS)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.allclose(first[0], first[1], atol=1e-3)


def test_twins_drop_other_units(toys):
    """Two models with the same weights and the same rows differ after a step: their dropout differs."""
    runs = [CellRun(toys.task, 7, options={"epochs": 1, "batch": 16, "select": "last"}) for _ in range(2)]
    estimators = [ModelEstimator(lambda: toys.Late(toys.task, hidden=16)) for _ in runs]
    assert train_together(runs, estimators, toys.train, toys.validation) == [None, None]
    one, other = states(estimators)
    assert not torch.equal(one["head.layers.0.weight"], other["head.layers.0.weight"])
