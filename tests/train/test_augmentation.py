"""Augmentations in training: seen there alone, by every seed, alone and at once."""

from functools import partial

import pytest
import torch
from torch.utils import _pytree as pytree

from mmbench import FusionModel, FusionOutput
from mmbench.core.arithmetic import Arithmetic
from mmbench.registry import installed, load
from mmbench.testing.samples import make_split, make_task
from mmbench.train.run import CellRun, ModelEstimator, train_together

AUGMENTATIONS = sorted(name for name, card in installed().terms.items() if card.build.startswith("mmbench.nn.augment."))
EVERY = make_task("classification", "image spectrogram sequence frames tokens vector")


def terms(task, *names):
    return [lambda name=name: (load(installed().term(name))(task), 1.0) for name in names]


class Noting(FusionModel):
    """Notes which inputs it has been given, by mode."""

    def __init__(self, seen):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(5, 3))
        self.seen = seen

    def forward(self, inputs):
        self.seen[self.training].append(inputs.values["vector0"])
        return FusionOutput(inputs.values["vector0"] @ self.weight)


def test_a_model_sees_augmented_inputs_in_training_alone():
    task, seen = make_task("classification", "vector vector"), {True: [], False: []}
    train, validation, test = (make_split(task, 32, seed) for seed in range(3))
    run = CellRun(task, 0, options={"batch": 8, "epochs": 2}, terms=terms(task, "noise"))
    before = pytree.tree_map(torch.clone, (train, validation, test))
    fitted = run.train(lambda: Noting(seen), train, validation)
    fitted.predict(test)

    def rows_of(splits, values):
        known = {tuple(row.tolist()) for split in splits for row in split.inputs.values["vector0"]}
        return [tuple(row.tolist()) in known for row in values]

    assert seen[True]
    assert seen[False]
    assert not any(rows_of([train], torch.cat(seen[True])))
    assert all(rows_of([train, validation, test], torch.cat(seen[False])))
    for old, new in zip(pytree.tree_leaves(before), pytree.tree_leaves((train, validation, test)), strict=True):
        assert torch.equal(old, new)


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_seeds_can_be_trained_at_once_with_it(name, dtype):
    split = make_split(EVERY, 24, missing=True, dtype=torch.float64 if dtype == "float64" else torch.float32)
    options = {"batch": 8, "epochs": 1}
    build = partial(load(installed().methods["late"]), EVERY)
    runs = [CellRun(EVERY, seed, Arithmetic(dtype=dtype), options=options, terms=terms(EVERY, name)) for seed in (1, 2)]
    estimators = [ModelEstimator(build) for _ in runs]
    assert train_together(runs, estimators, split, split) == [None, None]
    states = [estimator.fitted.model.state_dict() for estimator in estimators]
    assert all(bool(torch.isfinite(tensor).all()) for state in states for tensor in state.values())
    assert not torch.equal(*(next(iter(state.values())) for state in states))


def test_a_seed_gives_the_same_again_and_augmentation_another():
    task = make_task("classification", "vector sequence")
    split = make_split(task, 40)
    build = partial(load(installed().methods["late"]), task)

    def fitted(*names):
        run = CellRun(task, 3, options={"batch": 8, "epochs": 2}, terms=terms(task, *names))
        return run.train(build, split, split).predict(split)

    assert torch.equal(fitted("noise", "shift", "modality-dropout"), fitted("noise", "shift", "modality-dropout"))
    assert not torch.allclose(fitted("noise"), fitted())
