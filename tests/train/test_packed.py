"""Packed modalities: bytes in memory, standardised floats for whoever computes with them."""

import pytest
import torch

from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.core.training import Training
from mmbench.nn.encoders import ModalityEncoders
from mmbench.nn.heads import Head
from mmbench.nn.models import FusionModel
from mmbench.nn.records import FusionOutput, Inputs, Split
from mmbench.train.run import CellRun, as_estimator, train_together

TASK = Task("classification", 2, (Modality("photo", "image", (2, 6, 6)), Modality("film", "sequence", (5, 1, 4, 4))))
ROWS = 60


class Both(FusionModel):
    training_options = Training(batch=16).with_epochs(3)

    def __init__(self) -> None:
        super().__init__()
        self.encode, self.head = ModalityEncoders(TASK, 8), Head(TASK, 16)
        self.register_buffer("mean", torch.zeros(()))

    def begin(self, train: Split) -> None:
        self.mean.copy_(train.inputs.values["photo"].mean())  # of bytes, this would be an error

    def forward(self, inputs: Inputs) -> FusionOutput:
        return FusionOutput(prediction=self.head(self.encode(inputs).concat()) + self.mean)


@pytest.fixture
def packed() -> Split:
    """Bytes of two modalities; some rows lack one, and films have lengths of their own."""
    source = torch.Generator().manual_seed(0)
    values = {
        m.name: torch.randint(0, 256, (ROWS, *m.shape), generator=source, dtype=torch.uint8) for m in TASK.modalities
    }
    present = torch.rand(ROWS, 2, generator=source) > 0.2
    present[:, 0] |= ~present[:, 1]
    inputs = Inputs(values, present, {"film": torch.randint(1, 6, (ROWS,), generator=source)})
    scaling = {
        "photo": torch.tensor([[100.0, 120.0], [70.0, 80.0]]).reshape(2, 1, 2, 1, 1),
        "film": torch.tensor([[90.0] * 5, [60.0] * 5]).reshape(2, 1, 5, 1, 1, 1),
    }
    return Split(inputs, torch.arange(ROWS) % 2, scaling=scaling)


def test_unpacked_values_are_standardised_and_zero_where_nothing_is(packed):
    values = packed.unpacked().inputs.values
    photo, film = values["photo"], values["film"]
    here = packed.inputs.here("photo")
    by_hand = (packed.inputs.values["photo"].float() - torch.tensor([100.0, 120.0])[:, None, None]) / torch.tensor(
        [70.0, 80.0]
    )[:, None, None]
    torch.testing.assert_close(photo[here], by_hand[here])
    assert not photo[~here].any()
    assert not film[~packed.inputs.mask("film")].any()
    assert film[packed.inputs.mask("film")].ne(0).any()


def test_unpacking_twice_changes_nothing(packed):
    once = packed.unpacked()
    assert once.scaling == {}
    assert once.unpacked() is once


def test_parts_and_rows_of_bytes_unpack_to_those_of_floats(packed):
    whole = packed.unpacked().inputs.values["film"]
    torch.testing.assert_close(packed.part(slice(10, 20)).unpacked().inputs.values["film"], whole[10:20])
    rows = torch.tensor([3, 50, 3])
    torch.testing.assert_close(packed.take(rows).unpacked().inputs.values["film"], whole[rows])


@pytest.mark.parametrize("seeds", [(0,), (0, 1)], ids=["alone", "together"])
def test_a_model_learns_and_predicts_the_same_from_bytes_as_from_floats(packed, seeds):
    found = []
    for split in (packed, packed.unpacked()):
        runs = [CellRun(TASK, seed) for seed in seeds]
        estimators = [as_estimator(Both, seed, "both") for seed in seeds]
        if len(seeds) == 1:
            estimators[0].fit(split, split, runs[0])
        else:
            assert train_together(runs, estimators, split, split) == [None, None]
        found.append(torch.stack([estimator.predict(split.withheld()) for estimator in estimators]))
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=0)


def test_a_term_is_begun_with_floats(packed):
    from mmbench.nn.models import Term

    seen = []

    class Looks(Term):
        def begin(self, train: Split) -> None:
            seen.append(train.inputs.values["photo"].dtype)

    run = CellRun(TASK, 0, terms=[lambda: (Looks(), 1.0)])
    run.train(Both, packed, packed, Training().with_epochs(1))
    assert seen == [torch.float32]
