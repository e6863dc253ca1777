"""Linear models of the concatenation: how far one gets without any interaction of modalities."""

import warnings
from typing import Annotated, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from torch import Tensor

from mmbench import Inputs, Range, Task
from mmbench_floors.tabular import Table, Tabular

STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)  # C of scikit-learn: 1/λ


class Linear(Tabular):
    """min_w Σ_n ℓ(y_n, wᵀx_n + b) + |w|²/2C, ℓ log-loss or squared error, C chosen on validation.

    x is the concatenation of all modalities as the harness standardises them, tokens as counts; an
    absent modality is zero (its mean), and a column a modality says that it is absent.

    Args:
        task: to be done.
        columns: of x, at most; beyond it images and sequences are averaged over blocks.
    """

    def __init__(self, task: Task, *, columns: Annotated[int, Range(16, 100_000, log=True)] = 4096) -> None:
        super().__init__(task, columns)

    def table(self, inputs: Inputs) -> Table:
        absent = (~inputs.present).cpu().numpy().astype(np.float32)
        return np.hstack([self.columns(inputs, 0.0), absent])

    def targets(self, target: Tensor) -> list[Table]:
        """In regression all at once: ridge regression solves for every column with one matrix."""
        return [target.cpu().numpy()] if self.task.kind == "regression" else super().targets(target)

    def fit_one(self, x: Table, y: Table, x_validation: Table, y_validation: Table) -> Any:
        """The best model on validation, C rising until validation gets worse."""
        best, least = None, np.inf
        for strength in STRENGTHS:
            if self.task.kind == "regression":
                model = Ridge(alpha=1 / (2 * strength)).fit(x, y)
                loss = np.square(model.predict(x_validation).reshape(y_validation.shape) - y_validation).mean()
            else:
                model = _logistic(x, y, strength, best)
                loss = log_loss(y_validation, model.predict_proba(x_validation), labels=model.classes_)
            if loss >= least:
                break
            best, least = model, loss
        return best


def _logistic(x: Table, y: Table, strength: float, start: LogisticRegression | None) -> LogisticRegression:
    """Fitted from where the last one ended; an unconverged one is judged on validation like any."""
    model = LogisticRegression(C=strength, max_iter=300, warm_start=True)
    if start is not None:
        model.coef_, model.intercept_ = start.coef_.copy(), start.intercept_.copy()
        model.classes_ = start.classes_
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(x, y)
