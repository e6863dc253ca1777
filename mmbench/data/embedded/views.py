"""Two small real tables, their columns split into views; values as scikit-learn gives them, in float32."""

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes

from mmbench.core.task import Task
from mmbench.data.draws import Array, Seed, deal, stream, tables
from mmbench.data.embedded import tasks
from mmbench.data.source import Source

BREAST_CANCER_SIZES = (319, 100, 150)
DIABETES_SIZES = (242, 80, 120)


def build_breast_cancer(*, seed: Seed = 0) -> Source:
    """Malignant (0) or benign (1), from ten features of cell nuclei: their means, errors and worst values.

    Args:
        seed: of the stratified split.
    """
    rows, labels = load_breast_cancer(return_X_y=True)
    return _source(tasks.breast_cancer(), rows, labels, labels, BREAST_CANCER_SIZES, seed)


def build_diabetes(*, seed: Seed = 0) -> Source:
    """Progression of diabetes after a year, from clinical data (age, sex, body mass index, blood
    pressure) and six measurements of blood serum, all in their own units.

    Args:
        seed: of the random split.
    """
    rows, progression = load_diabetes(return_X_y=True, scaled=False)
    target = progression[:, None].astype(np.float32)
    return _source(tasks.diabetes(), rows, target, np.zeros(len(rows)), DIABETES_SIZES, seed)


def _source(
    task: Task,
    rows: Array,
    target: NDArray[np.generic],
    strata: NDArray[np.generic],
    sizes: tuple[int, int, int],
    seed: int,
) -> Source:
    ends = np.cumsum([modality.shape[0] for modality in task.modalities])
    views = np.split(rows.astype(np.float32), ends[:-1], axis=1)
    columns = {**dict(zip(task.names, views, strict=True)), "target": target}
    parts = deal(stream(seed, "split"), strata, sizes)
    split = {name: {key: column[part] for key, column in columns.items()} for name, part in parts.items()}
    return Source(task, tables(task, split))
