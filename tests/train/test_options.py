"""Options of the trainer do what they say: stages, freezing, rate, clipping, batches, balance."""

import pytest
import torch

from mmbench import MmbenchError, Split, Stage, Task, Term, Training
from mmbench.train.loop import learning_rate_factor
from mmbench.train.objective import class_balance
from mmbench.train.run import CellRun


class Watch(Term):
    """Writes down what it sees at every step, and changes nothing."""

    def __init__(self):
        super().__init__()
        self.rows, self.epochs, self.seen, self.modes = [], [], [], []

    def forward(self, output, batch):
        self.rows.append(batch.index.tolist())
        self.epochs.append(batch.epoch.item())
        self.modes.append(self.training)
        self.seen.append(output.prediction[0].detach().clone())
        return super().forward(output, batch)


def watched(toys, build, rows=64, **options):
    watch = Watch()
    train = toys.split(toys.task, rows)
    toys.fit(build, train, toys.validation, terms=[(watch, 1.0)], **options)
    return watch


def test_each_epoch_sees_each_row_at_most_once_and_drops_the_ragged_rest(toys):
    watch = watched(toys, toys.late, rows=64, batch=10, epochs=3)
    assert [len(rows) for rows in watch.rows] == [10] * 18
    assert watch.epochs == [0.0] * 6 + [1.0] * 6 + [2.0] * 6
    for start in (0, 6, 12):
        epoch = [row for rows in watch.rows[start : start + 6] for row in rows]
        assert len(set(epoch)) == 60
    assert watch.rows[:6] != watch.rows[6:12]


def test_every_step_is_in_training_mode(toys):
    assert watched(toys, toys.late, epochs=3).modes == [True] * 12


def test_every_model_sees_the_same_batches_however_much_it_draws(toys):
    drawing = watched(toys, lambda: toys.Late(toys.task, hidden=16), epochs=3)
    assert drawing.rows == watched(toys, toys.bias, epochs=3).rows


@pytest.mark.parametrize(("batch", "rows"), [(None, 64), (100, 64), (64, 64), (256, 7)])
def test_a_batch_is_at_most_the_whole_split(toys, batch, rows):
    watch = watched(toys, toys.late, rows=rows, batch=batch, epochs=2)
    assert [sorted(one) for one in watch.rows] == [list(range(rows))] * 2


def test_the_index_of_a_batch_is_its_rows_of_the_split(toys):
    class Check(Term):
        def forward(self, output, batch):
            rows = toys.train.take(batch.index)
            assert torch.equal(rows.target, batch.target)
            assert torch.equal(rows.inputs.values["left"], batch.inputs.values["left"])
            self.checked = True
            return super().forward(output, batch)

    check = Check()
    toys.fit(toys.late, toys.train, toys.validation, terms=[(check, 1.0)], epochs=1)
    assert check.checked


@pytest.mark.parametrize("frozen", ["encode", "head", "encode.encoders.0"])
def test_what_a_stage_freezes_stays_as_it_is_to_the_bit(toys, frozen):
    built = []

    def build():
        built.append(toys.Late(toys.task))
        built.append({name: p.detach().clone() for name, p in built[0].named_parameters()})
        return built[0]

    fitted = toys.fit(build, toys.train, toys.validation, stages=(Stage(3, freeze=(frozen,)),))
    for name, p in fitted.model.named_parameters():
        still = name.startswith(frozen) or name == "encode.missing"  # trained by missing modalities alone
        assert torch.equal(p, built[1][name]) == still, name
        assert p.requires_grad


def test_stages_follow_one_another_with_parts_and_rates_of_their_own(toys):
    """Stage 1 trains the encoders, stage 2 the head; a rate of nothing trains nothing."""
    states = []

    class Note(Watch):
        def forward(self, output, batch):
            states.append({name: p.detach().clone() for name, p in model[0].named_parameters()})
            return super().forward(output, batch)

    model = []

    def build():
        model.append(toys.Late(toys.task))
        return model[0]

    stages = (Stage(2, freeze=("head",)), Stage(2, freeze=("encode",)), Stage(1, lr=0.0))
    note = Note()
    toys.fit(build, toys.train, toys.validation, terms=[(note, 1.0)], stages=stages, select="last", batch=None)
    assert note.epochs == [0.0, 1.0, 0.0, 1.0, 0.0]

    def moved(first, last):
        return {
            name.split(".")[0] for name in states[first] if not torch.equal(states[first][name], states[last][name])
        }

    assert moved(0, 2) == {"encode"}
    assert moved(2, 4) == {"head"}
    final = dict(model[0].named_parameters())
    assert all(torch.equal(final[name], p) for name, p in states[4].items())


def test_the_best_state_is_carried_from_stage_to_stage(toys):
    """Each step spoils the model for validation: the second stage begins with the first one's best, and loses to it."""
    train = Split(toys.train.inputs, torch.zeros_like(toys.train.target))
    validation = Split(toys.validation.inputs, torch.ones_like(toys.validation.target))
    watch = Watch()
    stages = (Stage(4), Stage(3))
    fitted = toys.fit(toys.bias, train, validation, terms=[(watch, 1.0)], stages=stages, batch=None)
    assert fitted.history.epochs == 7
    assert fitted.history.best == 1
    after_the_first_epoch = watch.seen[1]
    assert torch.equal(watch.seen[4], after_the_first_epoch)
    assert torch.equal(fitted.model.bias, after_the_first_epoch)


def test_factors_of_the_rate():
    warm = Training(warmup=0.2, schedule="constant")
    assert [learning_rate_factor(warm, p) for p in (0.05, 0.1, 0.2, 0.7, 1.0)] == pytest.approx([0.25, 0.5, 1, 1, 1])
    cosine = Training(schedule="cosine")
    half = 0.5**0.5
    assert [learning_rate_factor(cosine, p) for p in (0.0, 0.25, 0.5, 0.75, 1.0)] == pytest.approx(
        [1, 0.5 + half / 2, 0.5, 0.5 - half / 2, 0], abs=1e-12
    )
    both = Training(warmup=0.5, schedule="cosine")
    assert [learning_rate_factor(both, p) for p in (0.25, 0.5, 0.75, 1.0)] == pytest.approx([0.5, 1, 0.5, 0], abs=1e-12)
    assert learning_rate_factor(Training(), 1e-9) == 1.0


def test_the_rate_is_what_the_schedule_says_at_every_step(toys):
    """AdamW's steps are as long as its rate where the gradient keeps its sign and size."""
    options = {"lr": 1e-4, "weight_decay": 0.0, "warmup": 0.5, "schedule": "cosine"}
    same = Split(toys.train.inputs, torch.zeros_like(toys.train.target))
    watch = Watch()
    toys.fit(
        toys.bias,
        same,
        same,
        terms=[(watch, 1.0)],
        epochs=8,
        batch=None,
        select="last",
        stages=(Stage(8, 0.5),),
        **options,
    )
    logits = torch.stack(watch.seen)[:, 0]
    factors = [learning_rate_factor(Training(**options), (step + 1) / 8) for step in range(7)]
    assert (logits.diff() / 0.5e-4).tolist() == pytest.approx(factors, abs=0.01)


def test_gradients_are_clipped(toys):
    """AdamW divides by the gradient's size, so that only one far below its epsilon shows."""

    def change(clip):
        same = Split(toys.train.inputs, torch.zeros_like(toys.train.target))
        fitted = toys.fit(toys.bias, same, same, clip=clip, weight_decay=0.0, epochs=3)
        return fitted.model.bias.detach().abs().max().item()

    assert change(1e-12) < 0.01 * change(None)
    assert change(1e6) == change(None)


def test_the_norm_that_is_clipped_is_that_of_the_whole_gradient(toys):
    """A large part elsewhere makes every part small."""

    class Two(toys.Bias):
        def __init__(self, task):
            super().__init__(task)
            self.loud = torch.nn.Parameter(torch.zeros(()))

        def loss(self, output, batch, criterion):
            return criterion(output.prediction, batch) + 1e15 * self.loud

    def change(build):
        return toys.fit(build, toys.train, toys.validation, clip=1.0, weight_decay=0.0, select="last").model.bias

    assert change(lambda: Two(toys.task)).abs().max() < 0.01 * change(toys.bias).abs().max()


def test_weight_decay_draws_to_zero(toys):
    def size(decay):
        fitted = toys.fit(toys.late, toys.train, toys.validation, weight_decay=decay, select="last", epochs=20)
        return fitted.model.head.layers[0].weight.norm()

    assert size(5.0) < 0.8 * size(0.0)


def test_balance_weighs_classes_inversely_to_their_frequency(toys):
    target = torch.tensor([0] * 6 + [1] * 3 + [2])
    weights = class_balance(toys.task, target)
    torch.testing.assert_close(weights, 10 / 3 / torch.tensor([6.0, 3.0, 1.0]))
    torch.testing.assert_close(weights[target].mean(), torch.tensor(1.0))
    labels = Task("multilabel", 2, toys.modalities)
    balance = class_balance(labels, torch.tensor([[1.0, 0], [0, 0], [0, 0], [1, 1]]))
    torch.testing.assert_close(balance, torch.tensor([1.0, 3.0]))
    assert class_balance(toys.task, torch.tensor([0, 0])).isfinite().all()
    assert class_balance(labels, torch.zeros(3, 2)).isfinite().all()


def test_balance_is_off_by_default_and_takes_the_prior_out_of_what_is_learnt(toys):
    train = toys.split(toys.task, 90)
    train = Split(train.inputs, (torch.arange(90) % 9 == 0).long())  # ten of class 1
    options = {"lr": 0.1, "batch": None, "epochs": 150, "select": "last"}
    two = Task("classification", 2, toys.modalities)

    def rare(**more):
        fitted = toys.fit(lambda: toys.Bias(two), train, train, task=two, **options, **more)
        return fitted.predict(train)[0, 1].item()

    assert rare() == pytest.approx(10 / 90, abs=0.01)
    assert rare(balance=True) == pytest.approx(0.5, abs=0.01)


def test_rows_without_a_label_count_in_no_balance(toys):
    labelled = torch.arange(90) < 60
    truth = (torch.arange(90) % 2).long()
    blanked = Split(toys.split(toys.task, 90).inputs, torch.where(labelled, truth, 0), labelled)
    two = Task("classification", 2, toys.modalities)
    options = {"lr": 0.1, "batch": None, "epochs": 150, "select": "last", "balance": True}
    fitted = toys.fit(lambda: toys.Bias(two), blanked, blanked, task=two, **options)
    assert fitted.predict(blanked)[0, 1].item() == pytest.approx(0.5, abs=0.01)


def test_balance_has_no_meaning_for_values(toys):
    task = Task("regression", 2, toys.modalities)
    split = toys.split(task, 20)
    with pytest.raises(MmbenchError, match="balance=true has no meaning for regression"):
        toys.fit(lambda: toys.Late(task), split, split, task=task, balance=True)


def test_options_come_from_the_model_unless_the_user_sets_them(toys):
    class Own(toys.Late):
        training_options = Training(lr=0.02, batch=8, stages=(Stage(3), Stage(1)))

    run = CellRun(toys.task, 0, options={"batch": 32, "epochs": 8})
    run.train(lambda: Own(toys.task), toys.train, toys.validation)
    (fit,) = run.fits
    assert fit.options == Training(lr=0.02, batch=32, stages=(Stage(6), Stage(2)))
    assert fit.epochs == 8
    assert fit.parameters == sum(p.numel() for p in Own(toys.task).parameters())


def test_rows_without_a_label_do_not_teach(toys):
    """Whatever stands where the label was taken away."""
    labelled = torch.arange(64) % 2 == 0
    lies = torch.where(labelled, toys.train.target, (toys.train.target + 1) % 3)
    one, two = (
        toys.fit(toys.late, Split(toys.train.inputs, target, labelled), toys.validation).predict(toys.validation)
        for target in (toys.train.target, lies)
    )
    assert torch.equal(one, two)
    everything = toys.fit(toys.late, Split(toys.train.inputs, lies), toys.validation).predict(toys.validation)
    assert not torch.equal(one, everything)
