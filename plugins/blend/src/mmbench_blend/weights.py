"""How well each network generalises: from losses on train and validation to the weights of a blend."""

import torch
from torch import Tensor

from mmbench import Batch, Criterion, Inputs, Split, Task
from mmbench_blend.heads import losses_of

FINEST = 0.01  # of the loss at the start: what is below it cannot be told from the draw of the splits
LEAST = 0.01  # share of the weight that is spread evenly


def blend_weights(start: Tensor, end: Tensor) -> Tensor:
    """w_k ∝ G_k / O_k² (Wang et al. 2020, proposition 1). -> (K,), with sum 1.

    With L^T and L^V the losses on train and validation, G = L^V(start) − L^V(end) is what was learned
    that generalises, O = [L^V − L^T](end) − [L^V − L^T](start) what was learned that does not. Neither is
    known more finely than to a hundredth of L^V(start): a network with G below that has learned nothing and has no
    weight of its own, and |O| is at least that. A hundredth of all weight is shared alike, so that every head
    is trained.

    Args:
        start, end: (2,K) losses at two checkpoints, on train and on validation.
    """
    finest = FINEST * start[1].abs()
    gained = start[1] - end[1]
    overfitted = ((end[1] - end[0]) - (start[1] - start[0])).abs()
    worth = (gained > finest) * gained / torch.maximum(overfitted, finest).clamp(min=1e-12).square()
    share = worth / worth.sum() if worth.sum() > 0 else torch.full_like(worth, 1 / len(worth))
    return (1 - LEAST) * share + LEAST / len(worth)


def losses_on(task: Task, split: Split, prediction: Tensor, unimodal: dict[str, Tensor]) -> Tensor:
    """(M+1,) float64 on the CPU: of predictions of a whole split, which are logits."""
    target = split.target
    if target is not None:
        target = target.cpu().double() if target.is_floating_point() else target.cpu()
    inputs = Inputs(dict.fromkeys(split.inputs.names, torch.empty(0)), split.inputs.present.cpu())
    known = None if split.labelled is None else split.labelled.cpu()
    batch = Batch(inputs, target, torch.arange(len(split)), torch.tensor(torch.inf), labelled=known)
    alone = {name: logits.double() for name, logits in unimodal.items()}
    return losses_of(prediction.double(), alone, batch, Criterion(task))
