"""The trainer learns what can be learnt, with every kind of task, and keeps the best state."""

import pytest
import torch
import torch.nn.functional as F
from torch.utils import _pytree as pytree

from mmbench import Inputs, Split, Task
from mmbench.core.arithmetic import Arithmetic
from mmbench.train.run import CellRun

EASY = {"epochs": 40, "lr": 0.01, "batch": 32, "patience": 40}


def learn(toys, task, run=None):
    train, validation, test = (toys.split(task, 256, seed) for seed in range(3))
    fitted = toys.fit(lambda: toys.Late(task), train, validation, task=task, run=run, **EASY)
    return fitted.predict(test.withheld()), test.target


def test_it_learns_classes(toys):
    prediction, target = learn(toys, toys.task)
    assert (prediction.argmax(1) == target).float().mean() >= 0.95
    torch.testing.assert_close(prediction.sum(1), torch.ones(256))


@pytest.mark.parametrize(("kind", "outputs"), [("multilabel", 3), ("anomaly", 1), ("verification", 1)])
def test_it_learns_labels(toys, kind, outputs):
    prediction, target = learn(toys, Task(kind, outputs, toys.modalities))
    assert ((prediction > 0.5) == (target > 0.5)).float().mean() >= 0.95


def test_it_learns_values(toys):
    prediction, target = learn(toys, Task("regression", 2, toys.modalities))
    assert 1 - (prediction - target).square().sum() / (target - target.mean(0)).square().sum() > 0.9


def test_it_learns_in_double_precision(toys):
    train, validation = (
        pytree.tree_map(lambda x: x.double() if x.is_floating_point() else x, split)
        for split in (toys.train, toys.validation)
    )
    run = CellRun(toys.task, 0, arithmetic=Arithmetic(dtype="float64"))
    fitted = toys.fit(toys.late, train, validation, run=run)
    assert fitted.predict(validation).dtype == torch.float64


def test_the_state_that_is_kept_is_the_best_on_validation(toys):
    """A high rate makes the criterion jump, so that the best epoch is not the last."""
    fitted = toys.fit(toys.late, toys.train, toys.validation, lr=0.3, epochs=12, floor=12)
    history = fitted.history
    assert len(history.validation) == history.epochs == 12
    logits = fitted.output(toys.validation).prediction
    assert F.cross_entropy(logits, toys.validation.target).item() == pytest.approx(min(history.validation), rel=1e-5)
    assert history.validation[history.best - 1] == min(history.validation)
    assert history.best < 12


def opposed(toys):
    """Train and validation splits that say the opposite: each step makes validation worse."""
    train = Split(toys.train.inputs, torch.zeros_like(toys.train.target))
    return train, Split(toys.validation.inputs, torch.ones_like(toys.validation.target))


@pytest.mark.parametrize(
    ("floor", "patience", "epochs", "trained"), [(0, 3, 50, 4), (9, 3, 50, 9), (0, 30, 20, 20), (2, 1, 50, 2)]
)
def test_it_stops_after_the_floor_when_patience_is_over(toys, floor, patience, epochs, trained):
    fitted = toys.fit(toys.bias, *opposed(toys), floor=floor, patience=patience, epochs=epochs)
    assert fitted.history.epochs == trained
    assert fitted.history.best == 1
    assert fitted.history.validation == sorted(fitted.history.validation)


def test_it_goes_on_as_long_as_validation_improves(toys):
    same = Split(toys.train.inputs, torch.zeros_like(toys.train.target))
    fitted = toys.fit(toys.bias, same, same, floor=0, patience=1, epochs=30)
    assert fitted.history.epochs == fitted.history.best == 30


def test_the_last_state_can_be_asked_for(toys):
    train, validation = opposed(toys)
    best = toys.fit(toys.bias, train, validation, epochs=9, patience=1, floor=0)
    last = toys.fit(toys.bias, train, validation, epochs=9, patience=1, floor=0, select="last")
    assert last.history.epochs == last.history.best == 9
    assert last.history.validation == []
    assert last.predict(train)[0, 0] > best.predict(train)[0, 0]


def test_validation_selects_and_trains_nothing(toys):
    """With ``select="last"`` other validation data change nothing at all."""
    other = toys.split(toys.task, 20, seed=9)
    one = toys.fit(toys.late, toys.train, toys.validation, select="last")
    two = toys.fit(toys.late, toys.train, other, select="last")
    assert torch.equal(one.predict(toys.validation), two.predict(toys.validation))


def test_a_fitted_model_predicts_row_by_row_however_many_there_are(toys):
    fitted = toys.fit(lambda: toys.Late(toys.task, hidden=8), toys.train, toys.validation, epochs=1)
    many = toys.split(toys.task, 2500, seed=4)
    whole = fitted.output(many)
    assert whole.prediction.shape == (2500, 3)
    torch.testing.assert_close(fitted.predict(many), whole.prediction.softmax(1))
    assert torch.equal(fitted.predict(many), fitted.predict(many)), "dropout in prediction"
    some = torch.tensor([0, 1023, 1024, 2499])
    torch.testing.assert_close(fitted.predict(many.take(some)), fitted.predict(many)[some])
    embedded = fitted.embed(many)
    assert {name: tuple(x.shape) for name, x in embedded.items()} == {
        "left": (2500, 16),
        "right": (2500, 16),
        "fused": (2500, 32),
    }
    assert whole.losses == {}


def test_only_what_a_model_generates_can_be_asked_for(toys):
    class Autoencoder(toys.Late):
        def forward(self, inputs):
            output = super().forward(inputs)
            output.generated["right"] = output.fused[:, :4]
            return output

    fitted = toys.fit(lambda: Autoencoder(toys.task), toys.train, toys.validation, epochs=1)
    made = fitted.generate(toys.validation, "right")
    assert made.names == ["right"]
    assert made.values["right"].shape == (48, 4)
    assert made.present.all()
    with pytest.raises(TypeError, match="Autoencoder does not generate 'left'"):
        fitted.generate(toys.validation, "left")


def test_a_model_without_prediction_is_selected_by_its_own_loss(toys):
    class Silent(toys.Late):
        def forward(self, inputs):
            output = super().forward(inputs)
            output.losses["size"] = output.fused.square().mean()
            return type(output)(None, output.embeddings, output.fused, losses=output.losses)

    fitted = toys.fit(lambda: Silent(toys.task), toys.train, toys.validation, epochs=8)
    assert min(fitted.history.validation) < fitted.history.validation[0]
    size = fitted.output(toys.validation).fused.square().mean().item()
    assert size == pytest.approx(min(fitted.history.validation), rel=1e-5)
    with pytest.raises(TypeError, match="Silent gives no prediction"):
        fitted.predict(toys.validation)


def test_a_second_model_can_learn_from_what_the_first_one_says(toys):
    """Stacking, distillation: predictions and embeddings become inputs, targets and buffers."""
    first = toys.fit(toys.late, toys.train, toys.validation)

    class Student(toys.Late):
        def begin(self, train):
            self.register_buffer("teacher", first.output(train).prediction)

        def loss(self, output, batch, criterion):
            return F.cross_entropy(output.prediction, self.teacher[batch.index].softmax(-1))

    student = toys.fit(lambda: Student(toys.task), toys.train, toys.validation, epochs=20)
    assert (student.predict(toys.train).argmax(1) == toys.train.target).float().mean() > 0.9

    def embedded(split):
        embeddings = {name: x for name, x in first.embed(split).items() if name != "fused"}
        return Split(Inputs(embeddings, split.inputs.present), split.target)

    from mmbench import Modality

    task = Task("classification", 3, tuple(Modality(name, "vector", (16,)) for name in ("left", "right")))
    second = toys.fit(lambda: toys.Late(task), embedded(toys.train), embedded(toys.validation), task=task, batch=None)
    assert second.predict(embedded(toys.validation)).isfinite().all()
