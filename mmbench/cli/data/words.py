"""What a card says of a dataset, in the words of `mmbench data list` and `mmbench data info`. Light."""

import os
from pathlib import Path

from mmbench.core.cards import DatasetCard
from mmbench.core.modality import Modality


def task(card: DatasetCard) -> str:
    """Its kind, and the width of a prediction."""
    return f"{card.task.kind} {card.task.outputs}" if card.task.outputs else card.task.kind


def rows(card: DatasetCard) -> str:
    """Of train, validation and test."""
    return "/".join(map(str, card.sizes))


def modalities(card: DatasetCard) -> str:
    """Their names, kinds and shapes."""
    return ", ".join(f"{modality.name} ({modality.kind} {shape(modality)})" for modality in card.task.modalities)


def shape(modality: Modality) -> str:
    """Of one sample."""
    return "×".join(map(str, modality.shape))


def files(card: DatasetCard) -> str:
    """Where the files are that it is made from, or how to get them."""
    from mmbench.data.locate import DATA, find_collection

    if not card.collections:
        return "embedded"
    found = {name: find_collection(name) for name in card.collections}
    lacking = [name for name, folder in found.items() if folder is None]
    if lacking:
        return f"missing: mmbench data fetch {' '.join(lacking)}"
    given = os.environ.get(DATA)
    places = [DATA if given and folder == Path(given) / name else "fetched" for name, folder in found.items()]
    return ", ".join(dict.fromkeys(places))
