"""Weights of a mixture of predictions, fitted on held-out data."""

import torch
from torch import Tensor

from mmbench import Batch, Criterion, Split, Task
from mmbench_levels.rules import combine


def fit_weights(task: Task, unimodal: Tensor, split: Split) -> Tensor:
    """(M,) on the simplex: argmin_w of the criterion of Σ_m w_m p_m, renormalised over those present.

    w = softmax(θ), θ by L-BFGS in float64 from the uniform weights. With no modality absent the
    problem is convex in w.

    Args:
        task: whose criterion is minimised.
        unimodal: (N,M,K) logits, or values.
        split: the N rows that they belong to, with targets.
    """
    target = split.target.double() if split.target is not None and split.target.is_floating_point() else split.target
    rows = torch.arange(len(split), device=unimodal.device)
    batch = Batch(split.inputs, target, rows, torch.tensor(torch.inf), labelled=split.labelled)
    criterion, values = Criterion(task), unimodal.detach().double()
    theta = values.new_zeros(values.shape[1], requires_grad=True)
    optimiser = torch.optim.LBFGS([theta], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        fused = combine(task, "weighted", values, split.inputs.present, theta.softmax(0), values.new_zeros(()))
        value: Tensor = criterion(fused, batch)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    with torch.enable_grad():
        optimiser.step(loss)  # type: ignore[no-untyped-call]
    return theta.detach().softmax(0)
