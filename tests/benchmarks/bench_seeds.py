"""Seeds trained at once against one after another, and how far the two agree. Goals 4 and 5."""

import time
from dataclasses import replace
from functools import partial

import pytest
import torch
from pairs import Versus, compare, figure, keep
from problems import attended, digits, image, sequences, vectors
from torch import nn

import mmbench.train.run
from mmbench.core.arithmetic import Arithmetic
from mmbench.train.run import CellRun, ModelEstimator, train_together
from mmbench.train.together import obstacle

SMALL = {
    "vectors": lambda: replace(vectors(), epochs=2),
    "sequences": partial(sequences, 160),
    "attended": partial(attended, 64),
    "image": image,
    "digits": lambda: replace(digits(40), epochs=1),
}
AIMS = {("vectors", 5): 0.75, ("vectors", 10): 0.6}
CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
ON_CUDA = [pytest.param(family, 10, "cuda", marks=CUDA) for family in SMALL]
ON_CPU = [(family, seeds, "cpu") for family in SMALL for seeds in (5, 10) if (family, seeds) != ("digits", 10)]


def at_once(problem, seeds, arithmetic, **options):
    runs = [CellRun(problem.task, seed, arithmetic, options={**problem.options(), **options}) for seed in seeds]
    estimators = [ModelEstimator(problem.build) for _ in seeds]
    assert train_together(runs, estimators, problem.train, problem.validation) == [None] * len(runs)
    return estimators


def one_after_another(problem, seeds, arithmetic, **options):
    estimators = [ModelEstimator(problem.build) for _ in seeds]
    for seed, estimator in zip(seeds, estimators, strict=True):
        run = CellRun(problem.task, seed, arithmetic, options={**problem.options(), **options})
        estimator.fit(problem.train, problem.validation, run)
    return estimators


@pytest.mark.filterwarnings("ignore:There is a performance drop")  # so there is, of attention: it is measured
@pytest.mark.parametrize(("family", "count", "device"), [*ON_CPU, *ON_CUDA])
def test_seeds_at_once(benchmark, monkeypatch, family, count, device):
    """Without the trial that finds out whether a model allows it: it comes once in a training, and
    these are far shorter than real ones. What it takes is listed by itself."""
    problem, arithmetic, seeds = SMALL[family]().to(device), Arithmetic(device), tuple(range(count))
    trial = trial_seconds(problem, seeds, arithmetic)
    monkeypatch.setattr(mmbench.train.run, "obstacle", lambda *_: "")
    work = [partial(way, problem, seeds, arithmetic) for way in (at_once, one_after_another)]
    aim = AIMS.get((family, count)) if device == "cpu" else None
    ours, theirs = compare(benchmark, work[0], {"sequential": work[1]}, rounds=7 if aim else 5, warm_up=bool(aim))
    what, steps = f"{problem.name}, {count} seeds on {device}", problem.epochs * problem.steps
    versus = Versus(what, "share", aim, 4, steps, "step of all")
    keep(benchmark, versus.record("Seeds at once over one after another", ours, theirs["sequential"]))
    keep(benchmark, figure("The trial before seeds are trained at once", what, [trial], "s"))


def trial_seconds(problem, seeds, arithmetic):
    runs = [CellRun(problem.task, seed, arithmetic, options=problem.options()) for seed in seeds]
    prepared = [run.prepare(problem.build, problem.train) for run in runs]
    started = time.perf_counter()
    assert obstacle([objective for objective, _ in prepared], problem.train, prepared[0][1]) == ""
    return time.perf_counter() - started


def without_dropout(build):
    model = build()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return model


@pytest.mark.filterwarnings("ignore:There is a performance drop")
@pytest.mark.parametrize("family", SMALL)
def test_agreement_in_float64(benchmark, family):
    """Every parameter of three seeds, after 20 steps."""
    problem = SMALL[family]().to("cpu", torch.float64)
    rows = len(problem.train) // 20
    build = partial(without_dropout, problem.build)
    problem = replace(problem, build=build, train=problem.train.part(slice(20 * rows)), batch=rows, epochs=1)
    arithmetic = Arithmetic(dtype="float64")
    ways = [partial(way, problem, (0, 1, 2), arithmetic, select="last") for way in (at_once, one_after_another)]
    together = benchmark.pedantic(ways[0], rounds=1)
    states = [[estimator.fitted.model.state_dict() for estimator in found] for found in (together, ways[1]())]
    apart = [float((a[name] - b[name]).abs().max()) for a, b in zip(*states, strict=True) for name in a]
    what = f"{problem.name}: largest difference of a parameter, float64, 20 steps"
    keep(benchmark, figure("Seeds at once agree with one after another", what, [max(apart)], "", "<=", 1e-10, 5))
