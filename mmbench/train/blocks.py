"""Blocks: how many rows an evaluation takes at once.

Chosen by what a row's activations weigh, not by a clock: sums of floats depend on the size of a
block in their last digit, and a score must not depend on how busy a machine was.
"""

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from mmbench.nn.records import Split

PROBED = 4  # samples that are enough to look at
CACHE = 2 * 2**20  # bytes of the largest activation: as much as a core's own cache holds
DEVICE = 256 * 2**20  # the same on an accelerator: enough to keep it busy
FEWEST, MOST = 16, 1024  # rows; more gains nothing on a CPU
MOST_ON_DEVICE = 8192


@torch.no_grad()
def rows_at_once(model: nn.Module, some: Split) -> int:
    """Rows of a block: a power of 2, such that the largest activation of the model fits.

    Args:
        model: in any mode; it is left in eval mode.
        some: a few samples, on the model's device.
    """
    model.eval()
    largest = 1

    def look(module: nn.Module, arguments: object, output: object) -> None:
        nonlocal largest
        for x in pytree.tree_leaves((arguments, output)):
            if isinstance(x, Tensor):
                largest = max(largest, x.numel() * x.element_size() // len(some))

    hooks = [module.register_forward_hook(look) for module in model.modules()]
    try:
        model(some.inputs)
    finally:
        for hook in hooks:
            hook.remove()
    on_cpu = some.inputs.present.device.type == "cpu"
    fitting = (CACHE if on_cpu else DEVICE) // largest
    return min(max(1 << max(fitting.bit_length() - 1, 0), FEWEST), MOST if on_cpu else MOST_ON_DEVICE)
