"""What a measure is given."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmbench.core.task import Task


@dataclass(frozen=True)
class Evaluation:
    """A method's predictions for one split, with what they should have been.

    Attributes:
        task: what was predicted.
        prediction: (N,K) float64: class or label probabilities; values in the target's own units.
        target: (N,) int64 classes; (N,K) float64 labels or values in their own units.
    """

    task: Task
    prediction: NDArray[np.float64]
    target: NDArray[np.int64] | NDArray[np.float64]
