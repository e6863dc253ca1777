"""What a sweep costs besides the methods: cells of one that does nothing, and a sweep that is done already."""

import os
import time
from itertools import pairwise

import pytest
from pairs import REDUCED, figure, keep, rounds_of

CELLS = (10, 100, 1000)
FEW = (5, 10, 20)  # in a reduced run
AIM = 0.060  # seconds a cell


def sizes():
    return FEW if os.environ.get(REDUCED) else CELLS


def curve(benchmark, run, what):
    """Time growing sweeps; each further cell should cost the same."""
    seconds = []

    def grow():
        for count in sizes():
            started = time.perf_counter()
            run(count)
            seconds.append(time.perf_counter() - started)

    benchmark.pedantic(grow, rounds=1)
    points = list(zip(sizes(), seconds, strict=True))
    for count, total in points:
        keep(benchmark, figure("Sweeps of a method that does nothing, in all", f"{count} {what}", [total], "s"))
    for (few, early), (many, late) in pairwise(points):
        each = 1000 * (late - early) / (many - few)
        name = f"a cell more, from {few} to {many} {what}"
        keep(benchmark, figure("Overhead per cell", name, [each], "ms", "<=", 1000 * AIM, 11))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Results of this file."""
    return tmp_path_factory.mktemp("overhead")


def test_many_seeds_in_one_batch(benchmark, mmbench, folder):
    mmbench("run", "-d", "small", "-m", "noop", "--dry-run")

    def run(count):
        words = ["-d", "small", "-m", "noop", "--seeds", str(count), "--out", str(folder / f"out{count}")]
        mmbench("run", "-j", "1", *words)

    curve(benchmark, run, "seeds of one method")


def test_many_batches(benchmark, mmbench):
    mmbench("run", "-d", "small", "-m", "noop", "--dry-run")

    def run(count):
        methods = [word for k in range(count) for word in ("-m", f"noop[number={k}]")]
        mmbench("run", "-j", "1", "-d", "small", "--seeds", "1", *methods, "--out", f"out{count}")

    curve(benchmark, run, "methods with one seed each")


def test_a_sweep_that_is_done(benchmark, mmbench, folder):
    """Its results are all there: it looks, shows the board and ends."""
    seeds = sizes()[-1]
    methods = ["-m", "noop", "-m", "noop[number=1]"]
    words = ["run", "-d", "small", *methods, "--seeds", str(seeds), "--out", str(folder / f"out{seeds}")]
    mmbench(*words)
    benchmark.pedantic(lambda: mmbench(*words), rounds=rounds_of(), iterations=1)
    what = f"`mmbench run` of {2 * seeds} cells whose results exist"
    keep(benchmark, figure("A sweep that is done", what, benchmark.stats.stats.data, "s", "<=", 2.0, 13))
