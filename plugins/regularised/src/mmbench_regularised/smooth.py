"""Label smoothing by a fixed share."""

from typing import Annotated

from torch import Tensor

from mmbench import Batch, FusionOutput, Range, Task, Term
from mmbench_regularised.targets import labels, logits_of, refuse_values


class Smooth(Term):
    """Targets q = (1−ε) y + ε u, u uniform: 1/K over classes, ½ of each label's two values.

    With the cross-entropy it is ``F.cross_entropy(label_smoothing=ε)`` (Szegedy et al. 2016, Rethinking
    the Inception architecture, arXiv:1512.00567, §7). Targets that another term has made soft are
    smoothed as they are.

    Args:
        task: gives the labels.
        epsilon: ε.
    """

    def __init__(self, task: Task, *, epsilon: Annotated[float, Range(0.001, 0.9)] = 0.1) -> None:
        super().__init__()
        refuse_values(task, "smooth")
        self.task, self.epsilon = task, epsilon

    def targets(self, output: FusionOutput, batch: Batch) -> Tensor:
        uniform = 1 / self.task.outputs if self.task.kind == "classification" else 0.5
        dtype = logits_of(output, "smooth").dtype
        target = labels(self.task, batch.target, dtype) if batch.soft is None else batch.soft
        return (1 - self.epsilon) * target + self.epsilon * uniform
