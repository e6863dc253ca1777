"""Trained by the harness: every method learns a small problem, stacking and fitted weights work."""

from importlib import import_module

import pytest
import torch
from mmbench_levels import mmbench_methods
from mmbench_levels.stacking import FOLDS

from mmbench import Inputs, Modality, Split, Task, Training
from mmbench.train.run import CellRun, as_estimator

CARDS = {card.name: card for card in mmbench_methods()}
OPTIONS = {"lr": 1e-2, "batch": 64, "epochs": 12}
TASK = Task("classification", 3, (Modality("a", "vector", (6,)), Modality("b", "sequence", (4, 3))))


def separable(rows, seed, noise_in_b=0.0):
    """Three classes, plain in each modality; one sample in five lacks one of them."""
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(rows) % 3
    centres = 2.5 * torch.nn.functional.one_hot(y, 3).float()
    a = torch.cat([centres, torch.zeros(rows, 3)], 1) + 0.3 * torch.randn(rows, 6, generator=g)
    b = centres[:, None].expand(-1, 4, -1) + 0.3 * torch.randn(rows, 4, 3, generator=g)
    shuffled = torch.randperm(rows, generator=g)
    b = torch.where((torch.rand(rows, generator=g) < noise_in_b)[:, None, None], b[shuffled], b)
    present = torch.ones(rows, 2, dtype=torch.bool)
    present[::10, 0] = present[5::10, 1] = False
    return Split(Inputs({"a": a, "b": b}, torch.ones_like(present), {"b": torch.full((rows,), 4)}).keep(present), y)


def build(card, **more):
    module, _, name = card.build.partition(":")
    return getattr(import_module(module), name)(TASK, width=16, hidden=16, **card.preset, **more)


def fitted(name, seed=0, splits=None):
    train, validation = splits or (separable(300, 0), separable(90, 1))
    run = CellRun(TASK, seed, options=OPTIONS)
    estimator = as_estimator(lambda: build(CARDS[name]), seed, name)
    return estimator.fit(train, validation, run), run


@pytest.mark.parametrize("name", CARDS)
def test_learns_a_separable_set(name):
    estimator, _ = fitted(name)
    test = separable(90, 2)
    p = estimator.predict(test.withheld())
    assert p.shape == (90, 3)
    torch.testing.assert_close(p.sum(1), torch.ones(90))
    assert (p.argmax(1) == test.target).float().mean() >= 0.95


def test_stacking_trains_once_a_fold_and_once_on_all_and_repeats_itself():
    (first, run), (again, _) = fitted("decision-stacking"), fitted("decision-stacking")
    test = separable(30, 2).withheld()
    assert len(run.fits) == FOLDS + 1
    assert torch.equal(first.predict(test), again.predict(test))
    assert set(first.embed(test)) == {"a", "b"}


def test_stacking_never_judges_a_model_by_rows_that_it_was_trained_on():
    seen = []

    class Spy(CellRun):
        def train(self, build, train, validation, options=None, terms=()):
            seen.append(train.inputs.values["a"])
            return super().train(build, train, validation, options, terms)

    train = separable(90, 0)
    build(CARDS["decision-stacking"]).fit(train, separable(30, 1), Spy(TASK, 0, options={**OPTIONS, "epochs": 1}))
    sizes = [len(x) for x in seen]
    assert sizes == [60] * FOLDS + [90]
    left_out = torch.zeros(90)
    for x in seen[:FOLDS]:
        left_out += ~(train.inputs.values["a"][:, None] == x).all(-1).any(1) | (train.inputs.values["a"] == 0).all(1)
    assert (left_out >= 1).all()


def test_fitted_weights_prefer_the_better_modality():
    splits = separable(300, 0, noise_in_b=0.6), separable(300, 1, noise_in_b=0.6)
    estimator, _ = fitted("decision-weighted", splits=splits)
    weights = estimator.fitted.model.weights
    assert weights.sum().item() == pytest.approx(1)
    assert weights[0] > 0.9


def test_options_are_the_suites():
    for card in CARDS.values():
        model = build(card)
        assert getattr(model, "training_options", Training()) == Training()
