"""A dataset of a gigabyte: made once, opened again, read in batches. It needs MMBENCH_DATA, and minutes."""

import json
import os
import subprocess
import sys

import pytest
from pairs import figure, keep

FAMILY = "avmnist[size=full]: 70,000 pairs of 28×28 and 112×112 bytes"
MAKE = """
import time
from mmbench.data.cache import prepare
from mmbench.registry import installed
started = time.perf_counter()
prepare(installed().dataset("avmnist"), {"size": "full"})
seconds = time.perf_counter() - started
"""
OPEN = """
import time
from mmbench.data.cache import find
from mmbench.registry import installed
found = find(installed().dataset("avmnist"), {"size": "full"})
from mmbench.data.splits import load_splits
started = time.perf_counter()
splits = load_splits(found.task, found.folder)
seconds = time.perf_counter() - started
"""
READ = """
import torch
from mmbench.train.feed import Feed
torch.set_num_threads(1)
train = Feed(splits.train)
order = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[None]
started = time.perf_counter()
total = sum(float(rows.inputs.values["audio"].mean()) for rows, _ in train.batches(order, 256, len(train) // 256))
assert abs(total) < len(train)
seconds = time.perf_counter() - started
"""
TELL = """
import json, resource
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"seconds": seconds, "peak": peak}))
"""
BYTES = 70_000 * (28 * 28 + 112 * 112)


def told(environment, *parts):
    """Seconds and the peak of memory, in bytes, of a process of its own."""
    words = [sys.executable, "-c", "".join([*parts, TELL])]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif("MMBENCH_DATA" not in os.environ, reason="MMBENCH_DATA names no folder of real data")
def test_full_avmnist(benchmark, plugin_environment, tmp_path):
    environment = {**plugin_environment, "MMBENCH_CACHE": str(tmp_path)}
    found = {}

    def all_three():
        found["made"] = told(environment, MAKE)
        found["opened"] = told(environment, OPEN)
        found["read"] = told(environment, OPEN, READ)

    benchmark.pedantic(all_three, rounds=1)
    made, opened, read = (found[name] for name in ("made", "opened", "read"))
    keep(
        benchmark,
        figure(FAMILY, "made from the files, all cores", [made["seconds"]], "s", "<=", aim=180.0, goal=14),
        figure(FAMILY, "made: peak of memory over the bytes", [made["peak"] / BYTES], "×", "<=", aim=1.5, goal=14),
        figure(FAMILY, "opened again", [opened["seconds"]], "s", "<=", aim=1.0, goal=14),
        figure(
            FAMILY,
            "an epoch of batches, as floats: peak over the bytes",
            [read["peak"] / BYTES],
            "×",
            "<=",
            aim=1.5,
            goal=14,
        ),
        figure(FAMILY, "an epoch of batches, as floats, one thread", [read["seconds"]], "s"),
    )
