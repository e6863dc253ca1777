"""Scores: a name, a unit, a direction and a range, so that no table has to guess them."""

from dataclasses import dataclass, replace
from math import inf


@dataclass(frozen=True)
class Score:
    """What a number means.

    Args:
        name: its key in a result.
        title: its column's heading.
        higher_is_better: its direction.
        low, high: its range.
        unit: of the number; empty for shares and scores without one.
        chance: what a prediction without information gets, where that is one number.
        of_main: it is a value of the task's main metric, whichever that is, and has its direction, range and
            unit; those that are given here do not count.
        directed: whether a method is better for it; if not, tables draw no arrow.
    """

    name: str
    title: str
    higher_is_better: bool = True
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    chance: float | None = None
    of_main: bool = False
    directed: bool = True

    def under(self, main: "Score") -> "Score":
        """The same where the main metric is known."""
        if not self.of_main:
            return self
        return replace(self, higher_is_better=main.higher_is_better, low=main.low, high=main.high, unit=main.unit)

    def better(self, first: float, second: float) -> bool:
        """Whether ``first`` is strictly better than ``second``."""
        return first > second if self.higher_is_better else first < second

    @property
    def arrow(self) -> str:
        """Which way is better; empty if neither is."""
        if not self.directed:
            return ""
        return "↑" if self.higher_is_better else "↓"


TASK_SCORES: dict[str, Score] = {
    score.name: score
    for score in (
        Score("accuracy", "accuracy"),
        Score("balanced_accuracy", "balanced accuracy"),
        Score("macro_f1", "macro F1"),
        Score("micro_f1", "micro F1"),
        Score("weighted_f1", "weighted F1"),
        Score("auroc", "AUROC", chance=0.5),
        Score("average_precision", "average precision"),
        Score("nll", "NLL", higher_is_better=False, high=inf, unit="nats"),
        Score("exact_match", "exact match"),
        Score("hamming", "Hamming loss", higher_is_better=False),
        Score("rmse", "RMSE", higher_is_better=False, high=inf, unit="target units"),
        Score("mae", "MAE", higher_is_better=False, high=inf, unit="target units"),
        Score("r2", "R²", low=-inf, chance=0.0),
        Score("pearson", "Pearson r", low=-1.0, chance=0.0),
        Score("spearman", "Spearman ρ", low=-1.0, chance=0.0),
        Score("eer", "EER", higher_is_better=False, chance=0.5),
        Score("retrieval_map", "mAP"),
    )
}
