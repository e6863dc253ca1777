"""Boosted trees on the concatenation: a strong learner that knows nothing of modalities."""

from typing import Annotated, Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from mmbench import Inputs, Range, Task
from mmbench_floors.tabular import Table, Tabular


class Boosting(Tabular):
    """Gradient boosting (Friedman 2001) over histograms: F_t = F_{t−1} + ν·tree_t(−∂ℓ/∂F_{t−1}).

    Trees stop when the validation loss has not fallen for 10 rounds. An absent modality is NaN, and
    each split learns to which side that goes. Nothing is drawn at random: all rows, all columns.

    Args:
        task: to be done.
        trees: rounds, at most; a round is one tree for each class.
        shrinkage: ν.
        leaves: of a tree, at most.
        columns: of the table, at most; beyond it images and sequences are averaged over blocks.
    """

    def __init__(
        self,
        task: Task,
        *,
        trees: Annotated[int, Range(10, 2000, log=True)] = 100,
        shrinkage: Annotated[float, Range(0.01, 1.0, log=True)] = 0.1,
        leaves: Annotated[int, Range(2, 255, log=True)] = 15,
        columns: Annotated[int, Range(16, 100_000, log=True)] = 512,
    ) -> None:
        super().__init__(task, columns)
        self.options: dict[str, Any] = {
            "max_iter": trees,
            "learning_rate": shrinkage,
            "max_leaf_nodes": leaves,
            "early_stopping": True,
            "n_iter_no_change": 10,
            "random_state": 0,  # draws the rows that bins are made from, beyond 200,000 rows
        }

    def table(self, inputs: Inputs) -> Table:
        return self.columns(inputs, np.nan)

    def fit_one(self, x: Table, y: Table, x_validation: Table, y_validation: Table) -> Any:
        kind = HistGradientBoostingRegressor if self.task.kind == "regression" else HistGradientBoostingClassifier
        return kind(**self.options).fit(x, y, X_val=x_validation, y_val=y_validation)
