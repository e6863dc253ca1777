"""What a method gives: fields, shapes, numbers."""

import torch
from torch import Tensor

from mmbench.core.task import Task
from mmbench.testing.contract.check import require
from mmbench.testing.contract.data import MANY, draw, task_kinds, task_of
from mmbench.testing.contract.subject import Case, Subject


def fields(subject: Subject) -> None:
    """Whatever the kinds and the number of modalities, with some of them absent: predictions, embeddings,
    and the other fields have the shapes of the record, are finite, and stand under the modalities' names.

    Models are computed in float64 and must not fall out of it.
    """
    for mix in subject.mixes(MANY if subject.is_model else MANY[-2:]):
        case = subject.case(mix)
        answer = case.output
        require("prediction" in answer, f"there is no prediction {case.where}; forward has to give one")
        for name, x in answer.items():
            _field(case, name, x)
        p = case.probabilities(answer)
        probabilities(case.task, p, f"{case.where}, predict")


def tasks(subject: Subject) -> None:
    """Trained by the harness for two epochs on every kind of task that its card names, it predicts finite
    numbers of the right shape, which are probabilities where the task has them."""
    for kind in task_kinds(subject.card):
        mix = subject.mixes(("vector sequence", "vector vector", "vector", "image"))[0]
        task = task_of(subject.card, mix, kind)
        train, validation = draw(subject.card, task, 32, 1), draw(subject.card, task, 16, 2)
        p = subject.fit(task, train, validation).predict(validation.withheld())
        require(isinstance(p, Tensor), f"predict gave a {type(p).__name__}, not a torch.Tensor")
        require(p.device.type == "cpu", "predict has to give a tensor on the CPU")
        shape = (16, task.outputs)
        require(tuple(p.shape) == shape, f"predict gave shape {tuple(p.shape)} for {kind}; it has to be {shape}")
        probabilities(task, p, f"after training for {kind}, predict")


def probabilities(task: Task, p: Tensor, who: str) -> None:
    """Require finite values, and of every kind of task but regression probabilities."""
    require(p.isfinite().all(), f"{who} gave numbers that are NaN or infinite")
    if task.kind == "regression":
        return
    require((p >= -1e-6).all() and (p <= 1 + 1e-6).all(), f"{who} gave numbers below 0 or above 1: not probabilities")
    if task.kind == "classification":
        require(((p.sum(1) - 1).abs() < 1e-3).all(), f"{who} gave class probabilities that do not sum to 1")


def _field(case: Case, name: str, x: Tensor) -> None:
    rows, field, modality = len(case.split), name.split("[")[0], name.partition("[")[2].rstrip("]")
    require(
        not modality or modality in case.task.names,
        f"output.{name} {case.where}: its key is no modality of the task ({', '.join(case.task.names)})",
    )
    shape, wanted = tuple(x.shape), f"({rows},d)"
    right = len(shape) == 2 and shape[0] == rows
    if field in ("prediction", "unimodal"):
        wanted, right = str((rows, case.task.outputs)), shape == (rows, case.task.outputs)
    elif field == "generated":
        full = (rows, *case.task.modality(modality).shape)
        wanted, right = str(full), shape == full
    require(right, f"output.{name} has shape {shape} {case.where}; it has to be {wanted}")
    require(x.isfinite().all(), f"output.{name} has NaN or infinite numbers {case.where}")
    require(
        x.dtype == torch.float64 or not case.subject.is_model or field == "generated",
        f"output.{name} is {x.dtype} {case.where} although model and inputs are float64; "
        "make tensors with x.new_zeros or dtype=x.dtype, and keep constants in buffers",
    )
