"""Targets, groups and presence by split."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from mmbench.core.task import BERNOULLI, Task
from mmbench.data.check.equal import Keys
from mmbench.data.check.findings import PAIRS, Groups, Presence, Targets
from mmbench.data.check.rows import Array
from mmbench.data.columns import SPLITS, blocks

if TYPE_CHECKING:
    import datasets


def describe_targets(task: Task, targets: Mapping[str, Array | None]) -> Targets | None:
    """How they are distributed; None where a split has none."""
    known = {name: target for name, target in targets.items() if target is not None}
    if len(known) < len(SPLITS) or task.kind == "retrieval":
        return None
    if task.kind == "regression":
        levels = (0, 0.25, 0.5, 0.75, 1)
        return Targets(
            quantiles={name: np.quantile(known[name].astype(float), levels, axis=0).T.tolist() for name in SPLITS}
        )
    if task.kind == "classification":
        counts = {name: np.bincount(known[name], minlength=task.outputs) for name in SPLITS}
        variation, chance = _difference(counts["train"], counts["test"])
        return Targets(
            classes={name: count.tolist() for name, count in counts.items()}, variation=variation, chance=chance
        )
    assert task.kind in BERNOULLI
    ones = {name: known[name].reshape(len(known[name]), -1).sum(0) for name in SPLITS}
    sizes = {name: len(known[name]) for name in SPLITS}
    differences = [
        _difference(*(np.array([sizes[name] - ones[name][k], ones[name][k]]) for name in ("train", "test")))
        for k in range(task.outputs)
    ]
    variation, chance = max(differences)
    positives = {name: (ones[name] / sizes[name]).tolist() for name in SPLITS}
    return Targets(positives=positives, variation=variation, chance=min(1.0, chance * task.outputs))


def describe_groups(splits: Mapping[str, "datasets.Dataset"]) -> Groups | None:
    """Groups of every split and what two splits share; None where a split has none."""
    if any("group" not in splits[name].column_names for name in SPLITS):
        return None
    group = {name: np.concatenate([block["group"] for block in blocks(splits[name], ["group"])]) for name in SPLITS}
    shared, rows = {}, {}
    for to, of in PAIRS:
        both = np.intersect1d(group[to], group[of])
        shared[f"{to}/{of}"] = len(both)
        rows[f"{to}/{of}"] = int(np.isin(group[of], both).sum())
    return Groups({name: len(np.unique(group[name])) for name in SPLITS}, shared, rows)


def describe_presence(task: Task, keys: Mapping[str, Keys]) -> tuple[Presence, ...]:
    """Of every modality in every split."""
    found = []
    for split, kept in keys.items():
        for index, modality in enumerate(task.modalities):
            lengths = kept.lengths.get(modality.name)
            span = None
            if lengths is not None and len(lengths):
                span = int(lengths.min()), float(np.median(lengths)), int(lengths.max())
            absent = float(1 - kept.present[:, index].mean())
            found.append(Presence(split, modality.name, absent, kept.blank[modality.name], span))
    return tuple(found)


def _difference(first: Array, second: Array) -> tuple[float, float]:
    """Total variation distance of two lists of counts, and the probability of it by chance (χ² of homogeneity)."""
    from scipy.stats import chi2

    counts = np.stack([first, second])[:, (first + second) > 0].astype(float)
    frequencies = counts / counts.sum(1, keepdims=True)
    expected = counts.sum(1, keepdims=True) * counts.sum(0) / counts.sum()
    statistic = float((np.square(counts - expected) / expected).sum())
    chance = float(chi2.sf(statistic, counts.shape[1] - 1)) if counts.shape[1] > 1 else 1.0
    return float(np.abs(frequencies[0] - frequencies[1]).sum() / 2), chance
