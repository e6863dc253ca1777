"""Bytes in place of floats, for methods that say that they take them."""

from dataclasses import replace

import torch
from torch.utils import _pytree as pytree

from mmbench.core.task import Task
from mmbench.nn.records import Split
from mmbench.testing.contract.check import require
from mmbench.testing.contract.data import draw, task_of
from mmbench.testing.contract.subject import Subject


def bytes_too(subject: Subject) -> None:
    """As ``packed = True`` says, it makes the same of images that are kept as bytes, with their mean and
    deviation, as of the floats that they stand for."""
    mix = subject.mixes(("image vector", "image image", "image", "vector"))[0]
    task = task_of(subject.card, mix)
    train, validation = (_packed(subject, task, rows, seed) for rows, seed in ((32, 1), (16, 2)))
    of_bytes = subject.fit(task, train, validation, epochs=1).predict(validation.withheld())
    of_floats = subject.fit(task, train.unpacked(), validation.unpacked(), epochs=1).predict(
        validation.unpacked().withheld()
    )
    require(
        torch.allclose(of_bytes, of_floats, 1e-5, 1e-5),
        "images that are kept as bytes give another prediction than as floats: where begin, finish, fit or predict "
        "read values they need split.unpacked(), or take packed = True away",
    )


def _packed(subject: Subject, task: Task, rows: int, seed: int) -> Split:
    """Samples whose images are bytes."""
    split = pytree.tree_map(lambda x: x.float() if x.is_floating_point() else x, draw(subject.card, task, rows, seed))
    values, scaling = dict(split.inputs.values), {}
    for modality in task.modalities:
        if modality.kind == "image":
            values[modality.name] = (128 + 40 * values[modality.name]).clamp(0, 255).to(torch.uint8)
            ones = torch.ones(2, 1, *[1] * len(modality.shape))
            scaling[modality.name] = ones * torch.tensor([128.0, 40.0]).reshape(2, *[1] * (ones.dim() - 1))
    found: Split = replace(split, inputs=replace(split.inputs, values=values), scaling=scaling)
    return found
