"""Every random draw comes from the cell's seed."""

import random

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmbench.train.run import CellRun, as_estimator
from mmbench.train.streams import batch_order, generator, stream

numbers = st.integers(0, 10**6)


def noisy(toys):
    """A model with dropout: it draws at every step."""
    return lambda: toys.Late(toys.task, hidden=16)


def predicted(toys, seed, **options):
    return toys.fit(noisy(toys), toys.train, toys.validation, seed=seed, **options).predict(toys.validation)


def test_the_same_seed_gives_the_same_bits_and_another_seed_another_model(toys):
    assert torch.equal(predicted(toys, 0), predicted(toys, 0))
    assert not torch.allclose(predicted(toys, 0), predicted(toys, 1), atol=1e-3)


def test_whoever_else_draws_random_numbers_changes_nothing(toys):
    quiet = predicted(toys, 3)
    torch.manual_seed(99)
    torch.randn(1000)
    np.random.seed(99)  # the global stream is what is meant
    random.seed(99)
    assert torch.equal(predicted(toys, 3), quiet)


def test_a_second_training_of_a_run_has_draws_of_its_own_whoever_drew_between(toys):
    def two(between):
        run = CellRun(toys.task, 5)
        first = toys.fit(noisy(toys), toys.train, toys.validation, run=run)
        torch.randn(between)
        second = toys.fit(noisy(toys), toys.train, toys.validation, run=run)
        return first.predict(toys.validation), second.predict(toys.validation)

    one, other = two(0), two(1000)
    assert torch.equal(one[0], other[0])
    assert torch.equal(one[1], other[1])
    assert not torch.equal(one[0], one[1]), "two trainings of one run began alike"


def test_an_estimator_is_the_same_every_time(toys):
    def predicted():
        run = CellRun(toys.task, 2)
        made = as_estimator(noisy(toys), 2, "late").fit(toys.train, toys.validation, run)
        return made.predict(toys.validation.withheld())

    torch.manual_seed(1)
    one = predicted()
    torch.manual_seed(2)
    assert torch.equal(predicted(), one)


def test_the_data_are_as_they_were_after_training(toys):
    before = toys.split(toys.task, 64)
    predicted(toys, 0)
    assert torch.equal(toys.train.target, before.target)
    for name, value in before.inputs.values.items():
        assert torch.equal(toys.train.inputs.values[name], value)


@given(numbers, st.integers(0, 9), st.integers(0, 999), st.integers(1, 300))
def test_the_order_of_an_epoch_is_a_permutation_that_its_arguments_decide(seed, stage, epoch, rows):
    order = batch_order(seed, stage, epoch, rows)
    assert sorted(order.tolist()) == list(range(rows))
    torch.rand(3)
    assert torch.equal(batch_order(seed, stage, epoch, rows), order)


def test_orders_of_other_epochs_stages_and_seeds_differ():
    orders = {tuple(batch_order(*which, 50).tolist()) for which in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]}
    assert len(orders) == 4


def test_the_order_draws_nothing_from_the_global_stream():
    torch.manual_seed(0)
    wanted = torch.rand(3)
    torch.manual_seed(0)
    batch_order(0, 0, 0, 100)
    generator(0, "anything").get_state()
    assert torch.equal(torch.rand(3), wanted)


@given(numbers, numbers, st.text(max_size=5), st.text(max_size=5))
def test_streams_of_other_names_or_seeds_are_others(seed, other, name, another):
    assert (stream(seed, name) == stream(other, another)) == ((seed, name) == (other, another))
    assert 0 <= stream(seed, name) < 2**63
    assert stream(seed, name, 1) != stream(seed, name, 2)
