"""A linear model of unimodal predictions."""

from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from mmbench import Task, log_probabilities, prior, probabilities

Table = NDArray[np.floating[Any]]


class Combiner:
    """Logistic regression (one a label), or ridge regression, on the standardised logits of all modalities.

    A class that the data lack keeps its prior (half a sample, see ``mmbench.prior``), and the
    others share the rest; a label that is always the same has its prior.

    Args:
        task: whose logits they are.
        strength: C of logistic regression, 1/2λ of ridge regression.
    """

    def __init__(self, task: Task, strength: float) -> None:
        self.task, self.strength = task, strength

    def fit(self, unimodal: Tensor, target: Tensor) -> Self:
        """Learn from (N,M,K) logits and the targets of the same rows."""
        z, y = self._table(unimodal), target.cpu().numpy()
        self.prior = probabilities(self.task, prior(self.task, target)).cpu().numpy()
        self.models = [self._model(z, column) for column in ([y] if y.ndim == 1 else y.T)]
        return self

    def predict(self, unimodal: Tensor) -> Tensor:
        """(N,M,K) logits -> (N,K) float32 probabilities, or values."""
        z = self._table(unimodal)
        out = np.tile(self.prior, (len(z), 1))
        for k, model in enumerate(self.models):
            if model is None:
                continue
            if self.task.kind == "classification":
                p, classes = model.predict_proba(z), model.classes_
                out[:, classes] = p * self.prior[classes].sum()
            elif self.task.kind == "regression":
                out[:, k] = model.predict(z)
            else:
                out[:, k] = model.predict_proba(z)[:, 1]
        return torch.from_numpy(out.astype(np.float32))

    def _table(self, unimodal: Tensor) -> Table:
        if self.task.kind == "classification":
            unimodal = log_probabilities(self.task, unimodal)
        table: Table = unimodal.flatten(1).double().numpy()
        return table

    def _model(self, z: Table, y: Table) -> Pipeline | None:
        if self.task.kind == "regression":
            return make_pipeline(StandardScaler(), Ridge(alpha=1 / (2 * self.strength))).fit(z, y)
        if (y == y[0]).all():
            return None
        return make_pipeline(StandardScaler(), LogisticRegression(C=self.strength, max_iter=1000)).fit(z, y)
