"""Trained by the harness: every method learns a small problem, and bi-tower's fits hang together."""

from importlib import import_module

import pytest
import torch
from mmbench_bitower import mmbench_methods
from mmbench_bitower.bitower import BiTower

from mmbench import Inputs, Modality, Split, Task
from mmbench.train.run import CellRun, as_estimator

CARDS = {card.name: card for card in mmbench_methods()}
OPTIONS = {"lr": 1e-2, "batch": 32, "epochs": 12}
TASK = Task("classification", 3, (Modality("a", "vector", (6,)), Modality("b", "sequence", (4, 3))))


def separable(rows, seed, signal=(2.5, 2.5)):
    """Three classes, plain in each modality that has a signal; one sample in five lacks one of them."""
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(rows) % 3
    centres = torch.nn.functional.one_hot(y, 3).float()
    a = torch.cat([signal[0] * centres, torch.zeros(rows, 3)], 1) + 0.3 * torch.randn(rows, 6, generator=g)
    b = signal[1] * centres[:, None].expand(-1, 4, -1) + 0.3 * torch.randn(rows, 4, 3, generator=g)
    present = torch.ones(rows, 2, dtype=torch.bool)
    present[::10, 0] = present[5::10, 1] = False
    return Split(Inputs({"a": a, "b": b}, torch.ones_like(present), {"b": torch.full((rows,), 4)}).keep(present), y)


def accuracy(prediction, split):
    return float((prediction.argmax(1) == split.target).float().mean())


def run(options=OPTIONS):
    return CellRun(TASK, 0, options=options, metric=accuracy)


@pytest.mark.parametrize("name", CARDS)
def test_learns_a_separable_set(name):
    card = CARDS[name]
    module, _, attribute = card.build.partition(":")
    small = {} if name == "resnet-transformer" else {"width": 16, "hidden": 16}
    estimator = as_estimator(lambda: getattr(import_module(module), attribute)(TASK, **small, **card.preset), 0, name)
    options = {**OPTIONS, "lr": 1e-3, "epochs": 3} if name == "resnet-transformer" else OPTIONS
    estimator.fit(separable(300, 0), separable(90, 1), run(options))
    test = separable(90, 2)
    assert accuracy(estimator.predict(test.withheld()), test) >= 0.95
    assert set(estimator.embed(test.withheld())) == {"a", "b", "fused"}


@pytest.mark.parametrize(("signal", "lead"), [((2.5, 0.0), "a"), ((0.0, 2.5), "b")])
def test_the_better_modality_leads(signal, lead):
    of_cell = run({**OPTIONS, "epochs": 4})
    splits = separable(120, 0, signal), separable(60, 1, signal)
    model = BiTower(TASK, width=8, hidden=8).fit(*splits, of_cell)
    assert model.lead == lead
    assert model.fitted.model.lead == TASK.names.index(lead)
    assert len(of_cell.fits) == 3


def test_encoders_start_where_the_unimodal_fits_ended():
    built = []

    class Spy(CellRun):
        def train(self, build, *splits_and_options):
            def noted():
                built.append(build())
                return built[-1]

            return super().train(noted, *splits_and_options)

    splits = separable(60, 0), separable(30, 1)
    of_cell = Spy(TASK, 0, options={"lr": 1e-9, "weight_decay": 0.0, "epochs": 2}, metric=accuracy)
    model = BiTower(TASK, width=8, hidden=8).fit(*splits, of_cell)
    assert len(built) == 3
    for alone, encoder in zip(built[:2], model.fitted.model.encode.each(), strict=True):
        torch.testing.assert_close(encoder.state_dict(), alone.encode.each()[0].state_dict(), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, [(10, 1.0, ("encode",)), (90, 0.1, ())]), ({"frozen": 0, "finetune": 1.0}, [(100, 1.0, ())])],
)
def test_stages(options, expected):
    of_cell = CellRun(TASK, 0, options={"patience": 0, "floor": 0, "lr": 1e-9}, metric=accuracy)
    BiTower(TASK, width=8, hidden=8, **options).fit(separable(30, 0), separable(30, 1), of_cell)
    assert [(stage.epochs, stage.lr, stage.freeze) for stage in of_cell.fits[-1].options.stages] == expected
