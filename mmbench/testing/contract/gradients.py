"""No parameter is dead."""

import torch
from torch import nn

from mmbench.nn.heads import Criterion
from mmbench.nn.models import FusionModel
from mmbench.nn.records import Batch
from mmbench.testing.contract.check import require
from mmbench.testing.contract.data import ALL, draw
from mmbench.testing.contract.subject import Case, Subject
from mmbench.train.streams import seed_all

STEPS, ROWS, SEEDS = 4, 48, 3


def everywhere(subject: Subject) -> None:
    """Within four steps of training every parameter that is not frozen by the method's stages has had a
    gradient, whatever the number of modalities; what lies behind a gate that starts at zero has time to.

    A layer as narrow as it is here may be dead by chance: what is dead from three starts is so by design.
    """
    for mix in subject.mixes(("vector", "sequence", "vector vector", "sequence image", ALL)):
        case = subject.case(mix)
        idle = _idle(case, 0)
        for seed in range(1, SEEDS):
            idle = idle and idle & _idle(case, seed)
        require(
            not idle,
            f"no gradient ever reaches {', '.join(sorted(idle))} {case.where}: a parameter that cannot learn there "
            "(a query over a single token, a gate over one modality, a detached path) must not be made",
        )


def _idle(case: Case, seed: int) -> set[str]:
    """Names of parameters without any gradient in some steps."""
    subject, criterion, rows = case.subject, Criterion(case.task), torch.arange(ROWS)
    split = draw(subject.card, case.task, ROWS, 1)
    seed_all(seed, "contract gradients")
    model = subject.fresh(case.task).double()
    model.begin(split)
    model.double().train()
    waiting = _trained(model)
    descent = torch.optim.AdamW(waiting.values(), lr=1e-2)
    for step in range(STEPS):
        batch = Batch(split.inputs, split.target, rows, torch.tensor(float(step), dtype=torch.float64))
        loss = model.loss(model(batch.inputs), batch, criterion)
        require(loss.dim() == 0, f"loss has shape {tuple(loss.shape)}; it has to be one number")
        require(loss.isfinite(), f"the loss is {loss.item()} in step {step + 1} {case.where}")
        descent.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        waiting = {name: p for name, p in waiting.items() if p.grad is None or not p.grad.any()}
        if not waiting:
            break
        descent.step()
    return set(waiting)


def _trained(model: FusionModel) -> dict[str, nn.Parameter]:
    """Parameters that some stage of the method does not freeze; all are asked for gradients, as the trainer does."""
    stages = model.training_options.stages
    found = {name: p for name, p in model.named_parameters() if not all(name.startswith(s.freeze) for s in stages)}
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in found)
    return found
