"""A small picture of a sample of each dataset."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from mmbench.core.cards import DatasetCard
from mmbench.core.modality import Modality
from mmbench.data.cache import prepare
from mmbench.data.columns import blocks
from mmbench.data.splits import load_splits
from mmbench.registry import installed
from mmbench.sweep.choices import DatasetChoice, lacks_files

AVERAGED = ("houses",)  # whose photographs are not ours to show
LINES = 6  # features of a sequence that are drawn as lines; more are drawn as an image
Row = dict[str, NDArray[Any]]


def draw_all(folder: Path) -> None:
    """One PNG a dataset whose files are here."""
    folder.mkdir(exist_ok=True)
    for card in installed().datasets.values():
        if card.build.startswith("mmbench.data.") and not lacks_files(DatasetChoice(card)):
            draw(card, folder / f"{card.name}.png")


def draw(card: DatasetCard, file: Path) -> None:
    """The modalities of one sample side by side."""
    row = _sample(card)
    modalities = card.task.modalities
    size = (1.7 * max(len(modalities), 2.5), 1.8)
    figure, axes = plt.subplots(1, len(modalities), figsize=size, squeeze=False, layout="constrained")
    for axis, modality in zip(axes[0], modalities, strict=True):
        _draw(axis, modality, row)
        axis.set_title(modality.name, fontsize=8)
        axis.tick_params(labelsize=6, length=2)
    figure.savefig(file, dpi=110, metadata={"Software": None})
    plt.close(figure)


def _sample(card: DatasetCard) -> Row:
    """The first row of train (of some the mean of all), and beside each modality ``<name>:scaled``."""
    import datasets

    prepared = prepare(card, {})
    stored = datasets.load_from_disk(str(prepared.folder / "splits"))["train"]
    columns = [name for name in stored.column_names if name not in ("target", "group", "present")]
    every = list(blocks(stored, columns))
    if card.name in AVERAGED:
        row = {name: np.concatenate([block[name] for block in every]).mean(0) for name in columns}
    else:
        row = {name: every[0][name][0] for name in columns}
    first = load_splits(prepared.task, prepared.folder).train.part(slice(0, 1)).unpacked()
    return row | {f"{name}:scaled": value[0].numpy() for name, value in first.inputs.values.items()}


def _draw(axis: Axes, modality: Modality, row: Row) -> None:
    values = np.asarray(row[modality.name], dtype=np.float64).reshape(modality.shape)
    if modality.kind == "vector":
        axis.vlines(
            np.arange(len(values)), 0, row[f"{modality.name}:scaled"], color="black", lw=60 / (20 + len(values))
        )
        axis.axhline(0, color="black", lw=0.4)
        axis.set_xlabel("feature", fontsize=6)
        return
    if modality.kind == "image":
        axis.imshow(values.transpose(1, 2, 0) / 255 if len(values) == 3 else values[0], cmap="gray")
    elif modality.kind == "spectrogram":
        axis.imshow(values[0], origin="lower", aspect="auto", cmap="gray")
        axis.set_xlabel("time", fontsize=6)
        axis.set_ylabel("band", fontsize=6)
    else:
        _draw_timed(axis, modality, values, row)
        return
    axis.set_xticks([])
    axis.set_yticks([])


def _draw_timed(axis: Axes, modality: Modality, values: NDArray[Any], row: Row) -> None:
    length = int(row.get(f"{modality.name}:length", modality.shape[0]))
    real = values[:length]
    if real.ndim == 4:  # frames of a video, the first, the middle and the last
        chosen = real[[0, length // 2, length - 1], 0]
        axis.imshow(np.concatenate(list(chosen), 0), cmap="gray")
        axis.set_xticks([])
        axis.set_yticks([])
        return
    seconds = np.arange(length) / modality.rate
    if real.shape[1] <= LINES:
        for number, feature in enumerate(real.T):
            axis.plot(seconds, feature, lw=0.7, color=str(0.65 * number / max(real.shape[1] - 1, 1)))
    else:
        scaled = row[f"{modality.name}:scaled"][:length].T
        axis.imshow(scaled, aspect="auto", cmap="gray", vmin=-3, vmax=3, extent=(0, seconds[-1], len(scaled), 0))
    axis.set_xlabel("seconds" if modality.rate != 1 else "frame", fontsize=6)
