"""Handwritten: six sets of features of the same 2,000 digits (UCI Multiple Features)."""

from typing import Literal

import numpy as np

from mmbench.data.draws import Columns, Seed, deal, stream
from mmbench.data.real import _files
from mmbench.data.real._parts import held_out, source
from mmbench.data.real.cards.features import HANDWRITTEN, handwritten
from mmbench.data.source import Source

VALIDATION = 320


def build(*, split: Literal["published", "random"] = "published", seed: Seed = 0) -> Source:
    """The dataset.

    Args:
        split: ``published`` is that of TMC (1,600 and 400 rows); ``random`` another of the same sizes.
            320 rows of train, stratified by class, are the validation.
        seed: of the random split, and of the validation.
    """
    task = handwritten()
    stored = _files.npz("handwritten", "handwritten_6views")
    label, rng = stored["label"].astype(np.int64), stream(seed, "split")
    if split == "published":
        parts = held_out(rng, stored["split_tmc"], label, VALIDATION)
    else:
        parts = deal(rng, label, (1600 - VALIDATION, VALIDATION, 400))
    columns: Columns = {name: stored[short].astype(np.float32) for name, short in HANDWRITTEN.items()}
    columns["target"] = label
    return source(task, columns, parts)
