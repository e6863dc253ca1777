"""Terms on trained models: each learns with `late`, seeds together are seeds apart, idle ones are refused."""

import pytest
import torch
from mmbench_regularised import mmbench_terms

from mmbench import FusionModel, FusionOutput, Inputs, MmbenchError, Modality, Split, Task
from mmbench.core.arithmetic import Arithmetic
from mmbench.registry import installed, load
from mmbench.train.run import CellRun, ModelEstimator, train_together

TERMS = {card.name: load(card) for card in mmbench_terms()}
OPTIONS = {"lr": 1e-2, "batch": 64}
TASK = Task("classification", 3, (Modality("a", "vector", (6,)), Modality("b", "sequence", (4, 3))))
WEIGHT = {"odds-barrier": 0.01}


def separable(rows, seed):
    """Three classes, plain in each modality; one sample in five lacks one of them."""
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(rows) % 3
    centres = 2.5 * torch.nn.functional.one_hot(y, 3).float()
    a = torch.cat([centres, torch.zeros(rows, 3)], 1) + 0.3 * torch.randn(rows, 6, generator=g)
    b = centres[:, None].expand(-1, 4, -1) + 0.3 * torch.randn(rows, 4, 3, generator=g)
    present = torch.ones(rows, 2, dtype=torch.bool)
    present[::10, 0] = present[5::10, 1] = False
    return Split(Inputs({"a": a, "b": b}, torch.ones_like(present), {"b": torch.full((rows,), 4)}).keep(present), y)


def method(name):
    card = installed().methods.get(name)
    if card is None:
        pytest.skip(f"{name} is not installed")
    return lambda **more: load(card)(TASK, width=16, hidden=16, **card.preset, **more)


def run_of(term, seed=0, dtype="float32", epochs=12, **more):
    terms = [lambda: (TERMS[term](TASK, **more), WEIGHT.get(term, 0.1))] if term else []
    return CellRun(TASK, seed, Arithmetic(dtype=dtype), options={**OPTIONS, "epochs": epochs}, terms=terms)


@pytest.mark.parametrize("name", TERMS)
def test_late_learns_a_separable_set_with_every_term(name):
    fitted = run_of(name).train(method("late"), separable(300, 0), separable(90, 1))
    test = separable(90, 2)
    assert (fitted.predict(test.withheld()).argmax(1) == test.target).float().mean() >= 0.95


@pytest.mark.parametrize(("name", "more"), [*((name, {}) for name in TERMS), ("adaptive-smooth", {"entropy": 0.2})])
def test_seeds_together_are_seeds_apart(name, more):
    """In float64, on models without dropout; and the term has changed what was learned."""
    splits = [
        Split(Inputs({k: v.double() for k, v in s.inputs.values.items()}, s.inputs.present, s.inputs.lengths), s.target)
        for s in (separable(150, 0), separable(60, 1))
    ]
    build = method("late")

    def plain():
        model = build()
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        return model

    runs = [run_of(name, seed, "float64", 4, **more) for seed in (0, 1)]
    together = [ModelEstimator(plain) for _ in runs]
    assert train_together(runs, together, *splits) == [None, None]
    for seed, estimator in enumerate(together):
        alone = run_of(name, seed, "float64", 4, **more).train(plain, *splits)
        torch.testing.assert_close(estimator.predict(splits[1]), alone.predict(splits[1]), atol=1e-8, rtol=0)
        without = run_of("", seed, "float64", 4).train(plain, *splits)
        assert (alone.predict(splits[1]) - without.predict(splits[1])).abs().max() > 1e-4


class Deaf(FusionModel):
    """Has no embeddings, and a loss of its own that reads hard targets."""

    def __init__(self):
        super().__init__()
        self.head = torch.nn.Linear(6, 3)

    def forward(self, inputs):
        return FusionOutput(prediction=self.head(inputs.values["a"]))

    def loss(self, output, batch, criterion):
        return torch.nn.functional.cross_entropy(output.prediction, batch.target)


@pytest.mark.parametrize("name", [name for name in TERMS if name != "odds-barrier"])
def test_models_on_which_a_term_has_no_effect_are_refused(name):
    with pytest.raises(MmbenchError, match=r"no effect|needs embeddings"):
        run_of(name).train(Deaf, separable(64, 0), separable(30, 1))


def test_targets_compose_with_constraints():
    terms = [lambda: (TERMS["smooth"](TASK), 1.0), lambda: (TERMS["supcon"](TASK), 0.1)]
    run = CellRun(TASK, 0, options={**OPTIONS, "epochs": 2}, terms=terms)
    assert run.train(method("late"), separable(64, 0), separable(30, 1)).predict(separable(9, 2)).isfinite().all()
