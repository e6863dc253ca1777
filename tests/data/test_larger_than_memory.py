"""A dataset several times larger than what a process may allocate goes all the way to batches."""

import os
import subprocess
import sys

import datasets
import numpy as np
import pytest

from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.data.source import table

TASK = Task("classification", 2, (Modality("video", "sequence", (8, 3, 16, 16)), Modality("text", "vector", (1024,))))
ROWS = 3000  # 7168 numbers each
MEGABYTE = 2**20
ALLOWED = 24 * MEGABYTE  # beyond what the libraries take

PROGRAM = f"""
import os, resource, sys
import datasets, numpy as np, pyarrow as pa, torch
from mmbench.core.cards import DatasetCard
from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.data import standardised, validation
from mmbench.data.cache import prepare
from mmbench.data.source import Source
from mmbench.data.splits import load_splits

TASK = {TASK!r}

def build():
    return Source(TASK, datasets.load_from_disk(sys.argv[1]))

def private(what):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(what)) * 1024

if __name__ == "__main__":
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    torch.set_num_threads(1)
    card = DatasetCard("large", "", "larger:build", TASK)
    build()  # starts threads, whose stacks count
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (private("VmData") + {ALLOWED}, most))
    try:
        bytearray({ALLOWED} + {MEGABYTE})
        sys.exit("this system does not keep processes to a limit")
    except MemoryError:
        pass
    kept = prepare(card, {{}})
    form = kept.folder / standardised.form_name()
    mapped = sum(path.stat().st_size for path in form.rglob("*"))  # counts as if it were allocated
    resource.setrlimit(resource.RLIMIT_DATA, (private("VmData") + mapped + {ALLOWED}, most))
    before = private("RssAnon")
    splits = load_splits(kept.task, kept.folder).to("cpu", torch.float32)
    total = 0.0
    for rows in torch.randperm(len(splits.train)).split(64):
        total += float(splits.train.take(rows).inputs.values["video"].double().mean()) * len(rows)
    print(private("RssAnon") - before, total / len(splits.train))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="it is Linux that limits and tells private memory")
def test_a_dataset_larger_than_the_memory_is_prepared_and_read_in_batches(tmp_path, cache):
    splits = {}
    for seed, (name, rows) in enumerate({"train": ROWS, "validation": 50, "test": 50}.items()):
        rng = np.random.default_rng(seed)
        columns = {m.name: rng.random((rows, *m.shape), np.float32) + np.float32(3) for m in TASK.modalities}
        splits[name] = table(TASK, {**columns, "target": rng.integers(0, 2, rows)})
    size = splits["train"].data.nbytes
    assert size > 3 * ALLOWED
    datasets.DatasetDict(splits).save_to_disk(tmp_path / "made")
    (tmp_path / "larger.py").write_text(PROGRAM)
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path),
        "OMP_NUM_THREADS": "1",  # a thread's stack counts
        "MALLOC_ARENA_MAX": "1",
        "MALLOC_MMAP_THRESHOLD_": "65536",  # what is freed goes back at once
        "ARROW_DEFAULT_MEMORY_POOL": "system",  # others reserve more than they use
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    }
    words = [sys.executable, str(tmp_path / "larger.py"), str(tmp_path / "made")]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    private, mean = map(float, done.stdout.split()[-2:])
    assert private < ALLOWED / 2
    assert abs(mean) < 1e-4
