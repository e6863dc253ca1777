"""ROSMAP: Alzheimer's disease or not, from three kinds of molecules of the same brains."""

import numpy as np

from mmbench.data.draws import Seed, stream
from mmbench.data.real import _files
from mmbench.data.real._parts import held_out, source
from mmbench.data.real.cards.features import rosmap
from mmbench.data.source import Source

VALIDATION = 49


def build(*, seed: Seed = 0) -> Source:
    """The dataset: 200 features each of mRNA, DNA methylation and miRNA, from 0 to 1.

    Args:
        seed: of the 49 training rows, stratified by class, that are the validation.
    """
    task = rosmap()
    stored = _files.npz("rosmap", "rosmap")
    label = stored["label"].astype(np.int64)
    parts = held_out(stream(seed, "split"), stored["split"], label, VALIDATION)
    columns = {**{name: stored[name] for name in task.names}, "target": label}
    return source(task, columns, parts)
