"""What linear regression and boosting share: a table in, one scikit-learn model an output."""

from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmbench import Inputs, Run, Split, Task, prior, probabilities
from mmbench_floors.columns import Columns

Table = NDArray[np.floating[Any]]


class Tabular:
    """An estimator of one model for the class, or of one each for every label or value.

    A subclass says what the table is and how one model is fitted. Where train shows one class
    only, there is no model. A class that train lacks keeps its prior (half a sample, see
    ``mmbench.prior``), and the others share the rest.

    Args:
        task: to be done.
        columns: of the table, at most (see ``Columns``).
    """

    def __init__(self, task: Task, columns: int) -> None:
        self.task, self.limit = task, columns

    def table(self, inputs: Inputs) -> Table:
        """(N,D) of N samples."""
        raise NotImplementedError

    def fit_one(self, x: Table, y: Table, x_validation: Table, y_validation: Table) -> Any:
        """A fitted scikit-learn model of (N,) classes, 0/1 or values."""
        raise NotImplementedError

    def targets(self, target: Tensor) -> list[Table]:
        """What each model predicts: (N,) classes for the only one, or a label or value each."""
        y = target.cpu().numpy()
        return [y] if self.task.kind == "classification" else list(y.T)

    def fit(self, train: Split, validation: Split, run: Run) -> Self:
        (train, target), (validation, target_validation) = train.supervised(), validation.supervised()
        self.columns = Columns(self.task, self.limit, train.inputs)
        self.prior = probabilities(self.task, prior(self.task, target)).cpu().numpy()
        x, x_validation = self.table(train.inputs), self.table(validation.inputs)
        pairs = zip(self.targets(target), self.targets(target_validation), strict=True)
        self.models = [self._fit_one(x, y, x_validation, y_validation) for y, y_validation in pairs]
        return self

    def _fit_one(self, x: Table, y: Table, x_validation: Table, y_validation: Table) -> Any:
        if self.task.kind == "regression":
            return self.fit_one(x, y, x_validation, y_validation)
        if (y == y[0]).all():
            return None
        known = np.isin(y_validation, y)  # scikit-learn refuses to judge a class that it was never shown
        return self.fit_one(x, y, x_validation[known], y_validation[known])

    def predict(self, split: Split) -> Tensor:
        """(N,K) float32 probabilities, or values."""
        x = self.table(split.inputs)
        if self.task.kind == "regression":
            return _tensor(np.column_stack([model.predict(x) for model in self.models]))
        out = np.tile(self.prior, (len(x), 1))
        for k, model in enumerate(self.models):
            if model is None:
                continue
            p = model.predict_proba(x)
            if self.task.kind == "classification":
                out[:, model.classes_] = p * self.prior[model.classes_].sum()
            else:
                out[:, k] = p[:, 1]
        return _tensor(out)


def _tensor(values: Table) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))
