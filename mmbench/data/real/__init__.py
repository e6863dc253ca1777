"""Real datasets, made from collections of files that the user has or fetches.

Light: builders are named by the cards and imported only when a dataset is made.
"""

from mmbench.core.cards import DatasetCard
from mmbench.data.real.cards import actions, digits, features
from mmbench.hooks import hookimpl


@hookimpl
def mmbench_datasets() -> list[DatasetCard]:
    """Cards of the real datasets."""
    return [*digits.CARDS, *features.CARDS, *actions.CARDS]
