"""Two workers against one, and a sweep against a fresh interpreter for each cell. Goals 6 and 7.

All of it is what a user waits for: nothing is subtracted for starting, for the server that workers are
forked from, or for the board at the end. Data are in the cache beforehand.
"""

import subprocess
import sys
from itertools import count, product
from pathlib import Path

from pairs import Versus, compare, keep

ROUNDS = 3  # each takes about a minute
REAL = ("late", "hybrid", "decision-mean", "early-feature")
TINY = ("late", "decision-mean", "early-data")
SEEDS = 4


def words(dataset, methods, seeds):
    chosen = [word for method in methods for word in ("-m", method)]
    return ["run", "--protocol", "quick", "-d", dataset, *chosen, "--seeds", str(seeds)]


def test_two_workers_against_one(benchmark, mmbench):
    command, number = words("avdigits", REAL, 2), count()
    mmbench(*command, "--dry-run")

    def sweep(jobs):
        return lambda: mmbench(*command, "-j", jobs, "--out", f"out{next(number)}")

    ours, theirs = compare(benchmark, sweep("2"), {"one": sweep("1")}, ROUNDS, warm_up=False)
    what = f"`mmbench run -d avdigits`, {len(REAL)} methods with 2 seeds each: -j 1 / -j 2"
    keep(benchmark, Versus(what, "faster", 1.7, 6).record("Workers side by side", ours, theirs["one"]))


def test_tiny_cells_against_fresh_interpreters(benchmark, mmbench, plugin_environment):
    command, number = words("breast-cancer-views", TINY, SEEDS), count()
    mmbench(*command, "--dry-run")
    one_cell = str(Path(__file__).parent / "one_cell.py")

    def interpreters():
        for method, seed in product(TINY, range(SEEDS)):
            program = [sys.executable, one_cell, method, "breast-cancer-views", str(seed)]
            subprocess.run(program, env=plugin_environment, check=True, capture_output=True)

    def sweep():
        mmbench(*command, "-j", "1", "--out", f"out{next(number)}")

    ours, theirs = compare(benchmark, sweep, {"interpreters": interpreters}, ROUNDS, warm_up=False)
    what = f"`mmbench run -j 1 -d breast-cancer-views`, {len(TINY) * SEEDS} cells / an interpreter for each"
    versus = Versus(what, "share", 0.25, 7)
    keep(benchmark, versus.record("Tiny cells", ours, theirs["interpreters"]))
