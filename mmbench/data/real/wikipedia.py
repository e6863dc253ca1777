"""Wikipedia: the subject of an article, from features of its text and of an image in it."""

from typing import Literal

import numpy as np

from mmbench.data.draws import Seed, stream
from mmbench.data.real import _files
from mmbench.data.real._parts import held_out, source
from mmbench.data.real.cards.features import wikipedia
from mmbench.data.source import Source

VALIDATION = 435


def build(*, text: Literal["topics", "words"] = "topics", seed: Seed = 0) -> Source:
    """The dataset: ``image`` (128,), a bag of SIFT words, and ``text``.

    Args:
        text: ``topics`` of the original release, (10,) of an LDA; or ``words``, (1000,) tf-idf, which
            were added later and tell much more.
        seed: of the 435 training rows, stratified by class, that are the validation.
    """
    task = wikipedia(text)
    stored = _files.npz("wikipedia", "wikipedia_features")
    official = np.repeat(["train", "test"], [len(stored["label_train"]), len(stored["label_test"])])
    column = {"topics": "text", "words": "text_tfidf"}[text]
    both = {
        name: np.concatenate([stored[f"{key}_train"], stored[f"{key}_test"]])
        for name, key in {"image": "image", "text": column, "target": "label"}.items()
    }
    both["target"] = both["target"].astype(np.int64) - 1  # the file counts from 1
    parts = held_out(stream(seed, "split"), official, both["target"], VALIDATION)
    return source(task, both, parts)
