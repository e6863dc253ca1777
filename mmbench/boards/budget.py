"""Budgets: what was spent on the choice of hyper-parameters. Rows are compared and ranked within one alone."""

from dataclasses import dataclass

from mmbench.results.schema import Identity

DEFAULT = "default"
USUAL = "random"  # the sampler that goes without saying


@dataclass(frozen=True, order=True)
class Budget:
    """Of a row, or of all rows that are ranked together; without trials it is the default hyper-parameters.

    Attributes:
        trials: configurations that were tried of each method.
        sampler: what chose them; of a search with another seed than 0 ``random-7``.
    """

    trials: int = 0
    sampler: str = ""

    @staticmethod
    def of(identity: Identity) -> "Budget":
        """What a record says of itself."""
        return Budget(identity.trials, identity.sampler)

    def __str__(self) -> str:
        """``default``, ``tuned (20 trials)``."""
        return f"tuned ({self.words})" if self.trials else DEFAULT

    @property
    def words(self) -> str:
        """``20 trials``, ``20 TPE trials``; the mark of a row in few words."""
        if not self.trials:
            return DEFAULT
        name, _, seed = self.sampler.partition("-")
        sampler = "" if name == USUAL else f"{name.upper()} "
        return f"{self.trials} {sampler}trial{'s' * (self.trials != 1)}{f', seed {seed}' if seed else ''}"

    @property
    def file(self) -> str:
        """What names of files end in: nothing, ``-20-random``."""
        return f"-{self.trials}-{self.sampler}" if self.trials else ""


UNTUNED = Budget()
