"""A balanced train split: rows resampled to equal presence patterns and classes."""

import torch
from torch import Tensor

from mmbench.core.task import Task
from mmbench.nn.records import Split


def balanced_rows(task: Task, split: Split, seed: int) -> Tensor:
    """Which rows to take, so that each (presence pattern, class) that occurs is equally frequent.

    Classes are those of classification, and 0 and 1 in verification and anomaly; in other tasks
    presence patterns alone are balanced. Rows without a label stay as they are. There are as many rows
    as before; a group's rows are each used equally often, or once more.

    Args:
        task: of the split.
        split: of N rows, with its targets.
        seed: of the rows that are used once more.

    Returns:
        (N,) long, in ascending order, on the split's device.
    """
    pattern = split.inputs.present.cpu().long()
    groups = _groups(task, split, pattern)
    labelled = torch.ones(len(split), dtype=torch.bool) if split.labelled is None else split.labelled.cpu()
    generator = torch.Generator().manual_seed(seed)
    times = torch.ones(len(split), dtype=torch.long)
    times[labelled] = _times(groups[labelled], generator)
    rows = torch.arange(len(split)).repeat_interleave(times)
    return rows.to(split.inputs.present.device)


def _groups(task: Task, split: Split, pattern: Tensor) -> Tensor:
    """(N,) long: equal for rows of the same pattern (N,M) and class."""
    columns = [pattern]
    if split.target is not None and task.kind == "classification":
        columns.append(split.target.cpu()[:, None])
    elif split.target is not None and task.kind in ("verification", "anomaly"):
        columns.append((split.target.cpu() > 0.5).long())
    found: Tensor = torch.unique(torch.cat(columns, 1), dim=0, return_inverse=True)[1]
    return found


def _times(groups: Tensor, generator: torch.Generator) -> Tensor:
    """(N,) long: how often each row is used, N in all."""
    _, group, sizes = torch.unique(groups, return_inverse=True, return_counts=True)
    count = len(sizes)
    if not count:
        return torch.zeros(0, dtype=torch.long)
    wanted = torch.full((count,), len(groups) // count)
    wanted[torch.randperm(count, generator=generator)[: len(groups) % count]] += 1
    # The place of each row in its group, in random order.
    shuffled = torch.randperm(len(groups), generator=generator)
    order = shuffled[group[shuffled].argsort(stable=True)]
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order)) - (sizes.cumsum(0) - sizes)[group[order]]
    times: Tensor = wanted[group] // sizes[group] + (place < wanted[group] % sizes[group])
    return times
