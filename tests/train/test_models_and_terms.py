"""What an author can write: own losses, gradients, buffers, terms; and what is refused."""

from typing import ClassVar

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmbench import FusionModel, FusionOutput, MmbenchError, Stage, Term
from mmbench.nn.heads import Criterion
from mmbench.train.loop import DivergedError
from mmbench.train.objective import Objective, batch_of
from mmbench.train.run import CellRun, ModelEstimator, as_estimator


def test_a_model_may_have_a_loss_of_its_own(toys):
    class Three(toys.Bias):
        def loss(self, output, batch, criterion):
            return (output.prediction - 3).square().mean()

    fitted = toys.fit(lambda: Three(toys.task), toys.train, toys.validation, lr=0.3, epochs=60, select="last")
    torch.testing.assert_close(fitted.model.bias.detach(), torch.full((3,), 3.0), atol=0.05, rtol=0)


def test_losses_of_the_output_are_added_to_the_criterion(toys):
    model, criterion = toys.late(), Criterion(toys.task)
    batch = batch_of(toys.train, torch.arange(64), torch.zeros(()))
    output = model(batch.inputs)
    plain = model.loss(output, batch, criterion)
    torch.testing.assert_close(plain, F.cross_entropy(output.prediction, toys.train.target))
    output.losses["one"], output.losses["two"] = torch.tensor(0.25), torch.tensor(0.5)
    torch.testing.assert_close(model.loss(output, batch, criterion), plain + 0.75)
    torch.testing.assert_close(
        model.loss(FusionOutput(None, losses=output.losses), batch, criterion), torch.tensor(0.75)
    )


def test_a_model_may_change_its_gradients(toys):
    class Half(toys.Late):
        def gradients(self, grads, output, batch):
            assert output.prediction.shape == (len(batch.index), 3)
            return {name: g if name.startswith("encode") else torch.zeros_like(g) for name, g in grads.items()}

    plain, half = (
        toys.fit(build, toys.train, toys.validation, weight_decay=0.0, select="last").model
        for build in (toys.late, lambda: Half(toys.task))
    )
    start = toys.fit(toys.late, toys.train, toys.validation, stages=(Stage(1, lr=0.0),)).model
    assert torch.equal(half.head.layers[0].weight, start.head.layers[0].weight)
    assert not torch.equal(plain.head.layers[0].weight, start.head.layers[0].weight)
    first, before = (model.encode.encoders[0].first.weight for model in (half, start))
    assert not torch.equal(first, before)


def test_gradients_are_those_of_the_step_and_of_what_is_trained(toys):
    class Seen(toys.Late):
        names: ClassVar[list] = []

        def gradients(self, grads, output, batch):
            self.names.append({name.split(".")[0] for name in grads})
            return grads

    stages = (Stage(1), Stage(1, freeze=("encode",)), Stage(1, freeze=("head",)))
    toys.fit(lambda: Seen(toys.task), toys.train, toys.validation, stages=stages, batch=None)
    assert Seen.names == [{"encode", "head"}, {"head"}, {"encode"}]


@pytest.mark.parametrize("select", ["best", "last"])
def test_buffers_are_made_before_and_after_the_fit(toys, select):
    class Counting(toys.Late):
        def begin(self, train):
            self.register_buffer("counts", torch.bincount(train.target, minlength=3).double())

        def finish(self, train, validation):
            assert not self.training
            assert not torch.is_grad_enabled()
            self.register_buffer("mean", self(validation.inputs).prediction.mean(0))

    fitted = toys.fit(lambda: Counting(toys.task), toys.train, toys.validation, select=select)
    assert fitted.model.counts.dtype == torch.float32, "a buffer is of the run's precision"
    assert fitted.model.counts.tolist() == toys.train.target.bincount().tolist()
    wanted = fitted.output(toys.validation).prediction.mean(0)
    torch.testing.assert_close(fitted.model.mean, wanted, msg="finish sees another state than the one kept")


def test_a_buffer_that_is_trained_along_is_restored_with_the_best_state(toys):
    class Steps(toys.Bias):
        def __init__(self, task):
            super().__init__(task)
            self.register_buffer("steps", torch.zeros(()))

        def loss(self, output, batch, criterion):
            if self.training:
                self.steps += 1
            return criterion(output.prediction, batch)

    away = type(toys.train)(toys.train.inputs, torch.zeros(64, dtype=torch.long))
    back = type(toys.train)(toys.validation.inputs, torch.ones(48, dtype=torch.long))
    fitted = toys.fit(lambda: Steps(toys.task), away, back, batch=16, epochs=5)
    assert fitted.history.best == 1
    assert fitted.model.steps == 4


# Terms compose from outside.


class Penalty(Term):
    """The mean square of the logits."""

    def forward(self, output, batch):
        return output.prediction.square().mean()


class Smooth(Term):
    """Label smoothing as a rule for targets."""

    def targets(self, output, batch):
        return 0.7 * F.one_hot(batch.target, 3).to(output.prediction.dtype) + 0.1


class OneSided(Term):
    """An augmentation: the right is never there."""

    def inputs(self, inputs):
        return inputs.without("right")


def loss_of(toys, terms, model=None):
    """The objective on the train split, of one and the same model."""
    torch.manual_seed(0)
    objective = Objective(model or toys.late(), Criterion(toys.task), terms)
    objective.begin(toys.train)
    loss, output = objective(batch_of(toys.train, torch.arange(64), torch.zeros(())))
    return loss.detach(), output


@pytest.mark.parametrize("weight", [0.0, 0.5, 3.0])
def test_a_term_is_added_with_its_weight(toys, weight):
    plain, output = loss_of(toys, [])
    loss, _ = loss_of(toys, [(Penalty(), weight)])
    torch.testing.assert_close(loss, plain + weight * output.prediction.square().mean().detach())


def test_a_term_may_rule_the_targets(toys):
    loss, output = loss_of(toys, [(Smooth(), 1.0)])
    torch.testing.assert_close(
        loss, F.cross_entropy(output.prediction, toys.train.target, label_smoothing=0.3).detach()
    )


def test_a_term_may_change_the_inputs_and_the_batch_keeps_its_own(toys):
    class Look(OneSided):
        def forward(self, output, batch):
            assert batch.inputs.values["right"].any()
            return super().forward(output, batch)

    _, output = loss_of(toys, [(Look(), 1.0)])
    _, plain = loss_of(toys, [])
    assert torch.equal(output.embeddings["left"], plain.embeddings["left"])
    assert not output.embeddings["right"].any()


def test_terms_work_together(toys):
    loss, output = loss_of(toys, [(Smooth(), 1.0), (OneSided(), 1.0), (Penalty(), 2.0)])
    wanted = F.cross_entropy(output.prediction, toys.train.target, label_smoothing=0.3)
    torch.testing.assert_close(loss, (wanted + 2 * output.prediction.square().mean()).detach())
    assert not output.embeddings["right"].any()


def test_terms_are_for_training_and_validation_is_as_without(toys):
    """A model that had only the left in training is selected with both, and predicts with both."""
    fitted = toys.fit(toys.late, toys.train, toys.validation, terms=[(OneSided(), 1.0), (Smooth(), 1.0)])
    logits = fitted.output(toys.validation).prediction
    assert F.cross_entropy(logits, toys.validation.target).item() == pytest.approx(
        min(fitted.history.validation), rel=1e-5
    )
    assert not torch.equal(logits, fitted.model(toys.validation.inputs.without("right")).prediction)


def test_a_term_shows_in_what_is_learnt(toys):
    def size(*terms):
        fitted = toys.fit(toys.late, toys.train, toys.validation, terms=terms, epochs=20, select="last")
        return fitted.output(toys.validation).prediction.abs().mean()

    assert size((Penalty(), 1.0)) < 0.8 * size((Penalty(), 0.01)) < 0.8 * 1.25 * size()
    assert size((Smooth(), 1.0)) < 0.8 * size()


def test_the_users_terms_go_onto_every_training_of_a_run(toys):
    class Counting(Penalty):
        steps = 0

        def forward(self, output, batch):
            Counting.steps += self.training
            return super().forward(output, batch)

    run = CellRun(toys.task, 0, terms=[lambda: (Counting(), 1.0)])
    for _ in range(2):
        toys.fit(toys.late, toys.train, toys.validation, run=run, epochs=2, batch=None)
    assert Counting.steps == 4


def test_a_term_may_have_parameters_and_buffers(toys):
    class Learning(Term):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))

        def begin(self, train):
            self.register_buffer("rows", torch.tensor(float(len(train))))

        def forward(self, output, batch):
            return (self.scale - self.rows / 64 * 2).square()

    term = Learning()
    toys.fit(toys.late, toys.train, toys.validation, terms=[(term, 1.0)], lr=0.1, epochs=40, select="last")
    assert term.scale.item() == pytest.approx(2.0, abs=0.1)


def test_a_rule_for_targets_that_the_loss_never_reads_is_refused(toys):
    class Deaf(toys.Late):
        def loss(self, output, batch, criterion):
            return F.cross_entropy(output.prediction, batch.target)

    with pytest.raises(MmbenchError, match="Smooth has no effect on Deaf, whose loss does not read soft targets"):
        toys.fit(lambda: Deaf(toys.task), toys.train, toys.validation, terms=[(Smooth(), 1.0)])
    fitted = toys.fit(lambda: Deaf(toys.task), toys.train, toys.validation, terms=[(Penalty(), 1.0)], epochs=1)
    assert fitted.history.epochs == 1


def test_a_rule_for_targets_that_begins_later_is_not_idle(toys):
    class Later(Smooth):
        def targets(self, output, batch):
            hard = F.one_hot(batch.target, 3).to(output.prediction.dtype)
            return torch.where(batch.epoch < 2, hard, super().targets(output, batch))

    fitted = toys.fit(toys.late, toys.train, toys.validation, terms=[(Later(), 1.0)], epochs=3)
    assert fitted.history.epochs == 3


# What is no number stops the fit.


@pytest.mark.parametrize("select", ["best", "last"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("after", [0, 2])
def test_a_loss_that_is_no_number_stops_the_fit_at_its_epoch(toys, select, bad, after):
    class Bad(toys.Late):
        def loss(self, output, batch, criterion):
            return criterion(output.prediction, batch) + torch.where(batch.epoch >= after, bad, 0.0)

    with pytest.raises(DivergedError, match=f"not finite after epoch {after + 1}") as caught:
        toys.fit(lambda: Bad(toys.task), toys.train, toys.validation, select=select)
    assert caught.value.epoch == after + 1


def test_the_epoch_counts_over_all_stages(toys):
    class Bad(toys.Late):
        def loss(self, output, batch, criterion):
            return criterion(output.prediction, batch) / (0.0 if batch.epoch >= 3 else 1.0)

    with pytest.raises(DivergedError) as caught:
        toys.fit(lambda: Bad(toys.task), toys.train, toys.validation, stages=(Stage(2), Stage(5)))
    assert caught.value.epoch == 6


def test_predictions_that_are_no_numbers_in_validation_alone_stop_the_fit_too(toys):
    class Bad(toys.Late):
        def forward(self, inputs):
            output = super().forward(inputs)
            return output if self.training else FusionOutput(output.prediction * float("nan"))

    with pytest.raises(DivergedError, match="epoch 1"):
        toys.fit(lambda: Bad(toys.task), toys.train, toys.validation)


# Estimators.


def test_a_model_becomes_an_estimator(toys):
    made = as_estimator(toys.late, 0, "late")
    assert isinstance(made, ModelEstimator)
    run = CellRun(toys.task, 0)
    assert made.fit(toys.train, toys.validation, run) is made
    assert made.predict(toys.validation.withheld()).shape == (48, 3)
    assert set(made.embed(toys.validation.withheld())) == {"left", "right", "fused"}
    assert len(run.fits) == 1


def test_an_estimator_stays_what_it_is(toys):
    class Own:
        def fit(self, train, validation, run):
            return self

        def predict(self, split):
            return torch.full((len(split), 3), 1 / 3)

    own = Own()
    assert as_estimator(lambda: own, 0, "own") is own


@pytest.mark.parametrize("thing", [3, nn.Linear(2, 2), None])
def test_anything_else_is_refused(thing):
    with pytest.raises(MmbenchError, match=f"builder of odd gives a {type(thing).__name__}, neither"):
        as_estimator(lambda: thing, 0, "odd")


def test_a_run_scores_without_showing_the_target(toys):
    class Peeking(FusionModel):
        def predict(self, split):
            assert split.target is None
            return torch.ones(len(split), 3)

    run = CellRun(toys.task, 0, metric=lambda prediction, split: float(len(prediction) + split.target.sum()))
    assert run.score(Peeking(), toys.validation) == 48 + toys.validation.target.sum()
    with pytest.raises(MmbenchError, match="no metric"):
        CellRun(toys.task, 0).score(Peeking(), toys.validation)
