"""What the harness is compared with: other loops over the same model, the same data and the same batches.

None of them selects a state or looks for divergence, as the harness does.
"""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from problems import Problem
from sklearn.metrics import accuracy_score, f1_score
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from mmbench import FusionModel, Inputs, Split, Training
from mmbench.train.blocks import PROBED, rows_at_once

CLIP = 1.0  # as the harness's default


class Direct(nn.Module):
    """A fusion model that is called with plain tensors and gives logits.

    What it costs to make the harness's records is kept off the loops that do not use them: the marks of
    presence and the lengths, the same in every batch, are made once for each size.
    """

    def __init__(self, model: FusionModel, problem: Problem) -> None:
        super().__init__()
        self.model, self.modalities = model, problem.task.modalities
        self._constant: dict[int, tuple[Tensor, dict[str, Tensor]]] = {}

    def forward(self, tensors: list[Tensor]) -> Tensor:
        rows = len(tensors[0])
        if rows not in self._constant:
            present = torch.ones(rows, len(self.modalities), dtype=torch.bool)
            lengths = {m.name: torch.full((rows,), m.shape[0]) for m in self.modalities if m.timed}
            self._constant[rows] = present, lengths
        present, lengths = self._constant[rows]
        values = dict(zip([m.name for m in self.modalities], tensors, strict=True))
        prediction = self.model(Inputs(values, present, lengths)).prediction
        assert prediction is not None
        return prediction


def columns(split: Split) -> list[Tensor]:
    """The modalities and the target."""
    assert split.target is not None
    return [*split.inputs.values.values(), split.target]


def plain(problem: Problem) -> FusionModel:
    """What a tutorial has: ``DataLoader(TensorDataset)``, Adam, clipping, ``.item()`` at each step."""
    torch.manual_seed(0)
    model = Direct(problem.build(), problem)
    train = TensorDataset(*columns(problem.train))
    batches = DataLoader(train, problem.batch, shuffle=True, drop_last=True)
    others = DataLoader(TensorDataset(*columns(problem.validation)), problem.batch)
    optimiser = torch.optim.Adam(model.parameters(), problem.lr)
    for _ in range(problem.epochs):
        model.train()
        total = 0.0
        for *tensors, target in batches:
            optimiser.zero_grad()
            loss = F.cross_entropy(model(tensors), target)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimiser.step()
            total += loss.item()
        model.eval()
        with torch.no_grad():
            for *tensors, target in others:
                total += F.cross_entropy(model(tensors), target).item() * len(target)
    return model.model


Samples = list[list[Any]]


def like_multibench(problem: Problem, train: Samples, validation: Samples, workers: int = 0) -> FusionModel:
    """What MultiBench's loop does at each step, reimplemented from a description of it.

    Samples are Python lists of arrays, collated by a loader (whose workers, if any, are started anew
    in every epoch); each tensor goes through ``.float()`` and ``.to(device)``; the mode is set at each
    batch; the sum of losses keeps its graph; validation collects predictions and passes over them
    several times. Its memory tracker, its checkpoints on disk and its prints are left out.
    """
    torch.manual_seed(0)
    device = torch.device("cpu")
    model = Direct(problem.build(), problem).to(device)
    batches = DataLoader(train, problem.batch, shuffle=True, drop_last=True, num_workers=workers)
    others = DataLoader(validation, problem.batch, shuffle=False, num_workers=workers)
    optimiser = torch.optim.Adam([x for x in model.parameters() if x.requires_grad], lr=problem.lr)
    for _ in range(problem.epochs):
        total: Any = 0.0
        for batch in batches:
            optimiser.zero_grad()
            model.train()
            prediction = model([x.float().to(device) for x in batch[:-1]])
            loss = F.cross_entropy(prediction, batch[-1].long().to(device))
            total += loss * len(batch[-1])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimiser.step()
        _validated(model, others, device)
    return model.model


def samples(split: Split) -> Samples:
    """One list a sample: an array for each modality, then the class."""
    *values, target = (x.numpy() for x in columns(split))
    return [[*(x[row] for x in values), int(target[row])] for row in range(len(split))]


@torch.no_grad()
def _validated(model: nn.Module, batches: DataLoader[Any], device: torch.device) -> tuple[float, float, float]:
    """Loss, accuracy and F1, each by a pass of its own."""
    total: Any = 0.0
    predicted, true = [], []
    for batch in batches:
        model.eval()
        prediction = model([x.float().to(device) for x in batch[:-1]])
        loss = F.cross_entropy(prediction, batch[-1].long().to(device))
        total += loss * len(batch[-1])
        predicted.append(torch.argmax(prediction, 1))
        true.append(batch[-1])
    every, answers = torch.cat(true), torch.cat(predicted)
    loss = float(total / len(every))
    accuracy = accuracy_score(every.cpu().numpy(), answers.cpu().numpy())
    f1 = f1_score(every.cpu().numpy(), answers.cpu().numpy(), average="macro")
    return loss, float(accuracy), float(f1)


def bare(problem: Problem) -> FusionModel:
    """The least that trains at full speed: what the harness does over it is the harness's overhead.

    Rows are selected from resident tensors, the optimiser is fused, nothing is read back, images are
    in channels-last, validation runs in inference mode on blocks as large as the harness's.
    """
    torch.manual_seed(0)
    inner = problem.build()
    rows = rows_at_once(inner, problem.validation.part(slice(PROBED)))
    model = Direct(inner, problem).to(memory_format=torch.channels_last)
    parameters = list(model.parameters())
    options = Training()
    optimiser = torch.optim.AdamW(parameters, problem.lr, weight_decay=options.weight_decay, fused=True)
    for _ in range(problem.epochs):
        model.train()
        total = torch.zeros(())
        for tensors, target in _selected(problem):
            loss = F.cross_entropy(model(tensors), target)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, CLIP, foreach=True)
            optimiser.step()
            total += loss.detach()
        float(total)
        float(_inferred(model, problem, rows))
    return inner


def _selected(problem: Problem) -> Iterator[tuple[list[Tensor], Tensor]]:
    """Batches in a random order."""
    every = columns(problem.train)
    for index in torch.randperm(len(problem.train)).split(problem.batch)[: problem.steps]:
        *tensors, target = (x.index_select(0, index) for x in every)
        yield tensors, target


@torch.inference_mode()
def _inferred(model: nn.Module, problem: Problem, rows: int) -> Tensor:
    model.eval()
    total = torch.zeros(())
    for *tensors, target in zip(*(x.split(rows) for x in columns(problem.validation)), strict=True):
        total += F.cross_entropy(model(tensors), target) * len(target)
    return total / len(problem.validation)
