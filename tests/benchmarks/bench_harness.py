"""What the harness costs above the least that trains as fast, and above the gradients alone. Goals 2 and 3."""

from dataclasses import replace
from functools import partial
from statistics import median

import pytest
import torch
from baselines import bare
from pairs import Versus, compare, keep
from problems import FAMILIES

from mmbench.train.alone import Alone
from mmbench.train.feed import Feed
from mmbench.train.objective import batch_of
from mmbench.train.run import CellRun
from mmbench.train.streams import batch_order

SIZES = [("vectors", 10, 11), ("sequences", 4, 11), ("digits", 1, 7)]  # family, epochs and pairs
STEPS = [("vectors", 2, 11), ("sequences", 2, 11), ("attended", 1, 11), ("digits", 1, 7)]
LARGE = 0.005  # seconds: from here on a step is large, and has an aim of its own


@pytest.mark.parametrize(("family", "epochs", "rounds"), SIZES)
def test_harness_above_a_bare_tuned_loop(benchmark, family, epochs, rounds):
    """Everything included: building the model, the first look at it, keeping the best state."""
    problem = replace(FAMILIES[family](), epochs=epochs)
    steps = epochs * problem.steps
    ours, theirs = compare(benchmark, problem.fit, {"bare": partial(bare, problem)}, rounds=rounds)
    large = median(theirs["bare"]) / steps >= LARGE
    share = Versus(problem.name, "overhead", 3.0 if large else None, 2, steps)
    step = Versus(f"{problem.name}: of a step", "step", None if large else 40.0, 2, steps)
    for versus in (share, step):
        keep(benchmark, versus.record("The harness above a bare tuned loop", ours, theirs["bare"]))


@pytest.mark.parametrize(("family", "epochs", "rounds"), STEPS)
def test_step_above_forward_and_backward(benchmark, family, epochs, rounds):
    """A step as the trainer takes it, rows selected and the optimiser included, without validation."""
    problem = FAMILIES[family]()
    objective, options = CellRun(problem.task, 0, options=problem.options()).prepare(problem.build, problem.train)
    trainer, feed, clock = Alone(objective), Feed(problem.train), torch.zeros(())
    trainer.start(options.stages[0], options)
    parameters = list(objective.parameters())
    order = batch_order(0, 0, 0, len(problem.train))[None]
    rows, index = next(feed.batches(order, problem.batch, 1))
    batch = batch_of(rows, index[0], clock)

    def step():
        for _ in range(epochs):
            for some, where in feed.batches(order, problem.batch, problem.steps):
                trainer.step(some, where, clock, 1.0)

    def gradients():
        for _ in range(epochs * problem.steps):
            loss, _ = objective(batch)
            torch.autograd.grad(loss, parameters, allow_unused=True)

    steps = epochs * problem.steps
    ours, theirs = compare(benchmark, step, {"gradients": gradients}, rounds=rounds)
    aim = 1.25 if median(theirs["gradients"]) / steps >= LARGE else 1.75
    versus = Versus(problem.name, "share", aim, 3, steps)
    keep(benchmark, versus.record("A step above forward and backward alone", ours, theirs["gradients"]))
