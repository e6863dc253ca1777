"""The embedded datasets: generated, or from scikit-learn's own files; nothing is downloaded.

Light: builders are named by the cards and imported only when a dataset is made.
"""

from mmbench.core.cards import DatasetCard
from mmbench.data.embedded.cards import CARDS
from mmbench.hooks import hookimpl


@hookimpl
def mmbench_datasets() -> list[DatasetCard]:
    """Cards of the embedded datasets."""
    return list(CARDS)
