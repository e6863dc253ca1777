"""Sampling: which configurations a search tries. Optuna chooses them; here it is told all that it may know.

Trial 0 is the default configuration. The others are chosen in rounds, each from the search's seed, its name and
what earlier rounds gave, so that they depend neither on the number of workers nor on what was interrupted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from types import ModuleType
from typing import Any, Literal, get_args

from mmbench.core.errors import MmbenchError
from mmbench.sweep.tune.space import Dimension, Numbers, Space

ROUND = 5  # trials that are chosen at once, and may run side by side
SamplerName = Literal["random", "tpe"]
SAMPLERS: tuple[SamplerName, ...] = get_args(SamplerName)


@dataclass(frozen=True)
class Tried:
    """A trial that has ended.

    Attributes:
        values: of what was searched, as far as they are known.
        score: None if it has none.
        pruned: it has none because it was behind.
    """

    values: Mapping[str, object]
    score: float | None
    pruned: bool = False


def optuna() -> ModuleType:
    """Optuna, quiet.

    Raises:
        MmbenchError: if it is not installed.
    """
    try:
        import optuna as found
    except ImportError:
        raise MmbenchError("mmbench tune needs Optuna: pip install 'mmbench[tune]'") from None
    found.logging.set_verbosity(found.logging.ERROR)
    return found


def propose(
    space: Space, sampler: SamplerName, name: str, seed: int, number: int, earlier: Sequence[Tried], higher: bool
) -> list[dict[str, Any]]:
    """The values of all trials of a round.

    Args:
        space: to choose from.
        sampler: ``random`` does not look at earlier trials, ``tpe`` does once there are enough of them.
        name: of the search; its numbers are its own.
        seed: of the search.
        number: of the round, from 0; in the first, the first trial is the default: {}.
        earlier: trials of all earlier rounds.
        higher: whether a higher score is better.
    """
    found = optuna()
    study = found.create_study(
        direction="maximize" if higher else "minimize", sampler=_sampler(sampler, _seed(seed, name, number))
    )
    distributions = {name: _distribution(dimension) for name, dimension in space.items()}
    for tried in earlier:
        study.add_trial(_frozen(tried, distributions))
    drawn = [study.ask(distributions).params for _ in range(ROUND)]
    values = [{name: _read(space[name], value) for name, value in params.items()} for params in drawn]
    return [{}, *values[1:]] if number == 0 else values


def _sampler(name: SamplerName, seed: int) -> Any:
    samplers = optuna().samplers
    if name == "random":
        return samplers.RandomSampler(seed=seed)
    # of the trials of a round, each is chosen as if those before it had gone badly: they are not to be alike
    return samplers.TPESampler(seed=seed, constant_liar=True)


def _seed(seed: int, name: str, number: int) -> int:
    """32 bits of its own for each round of each search."""
    return int.from_bytes(sha256(repr((seed, "tune", name, number)).encode()).digest()[:4], "big")


def _distribution(dimension: Dimension) -> Any:
    kinds = optuna().distributions
    if not isinstance(dimension, Numbers):
        return kinds.CategoricalDistribution(dimension.values)
    low, high, log = dimension.bounds.low, dimension.bounds.high, dimension.bounds.log
    if dimension.whole:
        return kinds.IntDistribution(int(low), int(high), log=log)
    return kinds.FloatDistribution(float(low), float(high), log=log)


def _frozen(tried: Tried, distributions: Mapping[str, Any]) -> Any:
    """A trial as Optuna remembers it: a pruned one was worse than those with a score, one that failed says nothing."""
    trials = optuna().trial
    ended = trials.TrialState.COMPLETE if tried.score is not None else trials.TrialState.FAIL
    known = {name: value for name, value in tried.values.items() if name in distributions}
    return trials.create_trial(
        params=known,
        distributions={name: distributions[name] for name in known},
        state=trials.TrialState.PRUNED if tried.pruned else ended,
        value=tried.score,
    )


def _read(dimension: Dimension, value: Any) -> Any:
    return dimension.read(value) if isinstance(dimension, Numbers) else value
