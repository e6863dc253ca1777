"""CMU-MOSI: is what a person says in a video positive or negative? One utterance, or its dialogue."""

from collections import Counter
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from mmbench.core.parameters import Range
from mmbench.data.draws import Columns, Seed, stream
from mmbench.data.real import _files
from mmbench.data.real._parts import held_out_groups, source
from mmbench.data.real.cards.actions import MOSI, MOSI_WORDS, mosi, mosi_dialogue
from mmbench.data.source import Source

VALIDATION = 12  # videos, of the 62 of train
UNKNOWN = 1  # the id of a word that is rare or not in train; 0 is padding


def build(*, transcript: bool = False, seed: Seed = 0) -> Source:
    """One utterance: ``text`` (100,), ``audio`` (73,) and ``video`` (100,).

    Args:
        transcript: whether to have its words as a fourth modality, (40,) tokens.
        seed: of the 12 training videos that are the validation.
    """
    task = mosi(transcript)
    stored = _files.npz("mosi", "mosi_utterance_features")
    parts = _parts(stored, seed)
    columns: Columns = {**{name: stored[name] for name in MOSI}, **_labels(stored)}
    if transcript:
        spoken = _files.parquet("mosi", "mosi_transcripts")["transcript"]
        columns.update(_tokens([text.lower().split() for text in spoken], parts["train"]))
    return source(task, columns, parts)


def build_dialogue(*, around: Annotated[int, Range(1, 31)] = 4, seed: Seed = 0) -> Source:
    """An utterance with its neighbours in the video, in their order.

    Each modality is (2·around+1, features+1): the last feature is 1 in the frame of the utterance that
    is to be judged and 0 in the others. Fewer frames where the video begins or ends.

    Args:
        around: utterances before and after it.
        seed: as in ``build``.
    """
    task = mosi_dialogue(around)
    stored = _files.npz("mosi", "mosi_utterance_features")
    video, order = stored["video_number"].astype(np.int64), stored["position"]
    frames = np.full((len(video), 2 * around + 1), -1)  # rows of the neighbours, -1 for none
    for number in np.unique(video):
        rows = np.flatnonzero(video == number)
        rows = rows[np.argsort(order[rows])]
        for place, row in enumerate(rows):
            near = rows[max(place - around, 0) : place + around + 1]
            frames[row, : len(near)] = near
    length = (frames >= 0).sum(1).astype(np.int64)
    judged = (frames == np.arange(len(frames))[:, None])[..., None]
    columns: Columns = _labels(stored)
    for name in MOSI:
        columns[name] = np.where((frames >= 0)[..., None], np.concatenate([stored[name][frames], judged], -1), 0)
        columns[name], columns[f"{name}:length"] = columns[name].astype(np.float32), length
    parts = _parts(stored, seed)
    return source(task, columns, parts)


def _parts(stored: dict[str, NDArray[Any]], seed: int) -> dict[str, NDArray[np.int64]]:
    video = stored["video_number"].astype(np.int64)
    of_train = np.unique(video[stored["split"] == "train"])
    return held_out_groups(stored["split"], video, tuple(stream(seed, "videos").permutation(of_train)[:VALIDATION]))


def _labels(stored: dict[str, NDArray[Any]]) -> Columns:
    return {"target": stored["label"].astype(np.int64), "group": stored["video_number"].astype(np.int64)}


def _tokens(texts: list[list[str]], train: NDArray[np.int64]) -> Columns:
    """Ids of the most frequent words of train; ties by the alphabet."""
    count = Counter(word for row in train for word in texts[row])
    words, length = MOSI_WORDS
    ranked = sorted(count, key=lambda word: (-count[word], word))[: words - 2]
    number = {word: i for i, word in enumerate(ranked, start=2)}
    ids = np.zeros((len(texts), length), dtype=np.int64)
    for row, text in enumerate(texts):
        known = [number.get(word, UNKNOWN) for word in text[:length]]
        ids[row, : len(known)] = known
    lengths = np.array([min(max(len(text), 1), length) for text in texts], dtype=np.int64)
    return {"transcript": ids, "transcript:length": lengths}
