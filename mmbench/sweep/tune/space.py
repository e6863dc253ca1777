"""The search space of a method: what its builder declares, and two options of the trainer, alike for every method."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from types import NoneType
from typing import Any, Literal, get_args

from mmbench.core.parameters import Parameter, Range, bind
from mmbench.registry import load
from mmbench.sweep.choices import MethodChoice, builder_parameters

# Options of the trainer that are searched, for every method that is not deterministic. The one list of them.
TRAINING: Mapping[str, Range] = {"lr": Range(1e-4, 1e-2, log=True), "weight_decay": Range(1e-6, 1e-2, log=True)}
DIGITS = 3  # significant, of searched numbers: what a person would write


@dataclass(frozen=True)
class Numbers:
    """Numbers within bounds; ``whole`` ones are integers."""

    bounds: Range
    whole: bool = False

    def __str__(self) -> str:
        return f"{self.bounds}{' log' if self.bounds.log else ''}"

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and value in self.bounds

    def read(self, value: float) -> int | float:
        """A drawn number as it is tried: within the bounds, and rounded."""
        if self.whole:
            return int(value)
        return min(max(float(f"{value:.{DIGITS}g}"), self.bounds.low), self.bounds.high)


@dataclass(frozen=True)
class Options:
    """One of some values."""

    values: tuple[bool | int | float | str, ...]

    def __str__(self) -> str:
        return "|".join(map(str, self.values))

    def __contains__(self, value: object) -> bool:
        return value in self.values


Dimension = Numbers | Options
Space = Mapping[str, Dimension]


def space_of(method: MethodChoice, fixed: Mapping[str, object] | None = None) -> dict[str, Dimension]:
    """What can be searched of a method, in the order in which it is declared; empty if nothing can.

    Args:
        method: with what the user has set of it, which stays.
        fixed: that the user has set to the default, which stays as well.

    Raises:
        MmbenchError: for a builder whose arguments cannot be read.
    """
    card = method.card
    if nothing_to_tune(method):
        return {}
    set_already = {*card.preset, *method.build, *method.training, *(fixed or {})}
    declared = builder_parameters(load(card), f"method {card.name!r}")
    own = {name: found for name, parameter in declared.items() if (found := dimension_of(parameter)) is not None}
    common = {} if card.deterministic else {name: Numbers(bounds) for name, bounds in TRAINING.items()}
    return {name: found for name, found in {**own, **common}.items() if name not in set_already}


def nothing_to_tune(method: MethodChoice) -> str:
    """Why nothing of a method is searched, whatever it declares; empty if something may be."""
    if method.card.role == "ceiling":
        return "it is a ceiling"
    if method.card.role == "floor" and method.card.deterministic:
        return "it is a deterministic floor"
    return ""


def dimension_of(parameter: Parameter) -> Dimension | None:
    """How a parameter is searched: numbers with a ``Range``, a ``Literal``, a bool; None for others."""
    if parameter.type is bool:
        return Options((False, True))
    for option in _options(parameter.type):
        if getattr(option, "__origin__", None) is Literal:
            return Options(get_args(option))
        if option in (int, float) and parameter.bounds is not None and isfinite(parameter.bounds.high):
            low, high, log = parameter.bounds.low, parameter.bounds.high, parameter.bounds.log
            return Numbers(Range(low, high, log and low > 0), whole=option is int)
    return None


def with_values(method: MethodChoice, values: Mapping[str, object]) -> MethodChoice:
    """The method with searched values, over what was set of it.

    Raises:
        MmbenchError: for a value that a parameter does not allow.
    """
    where = f"method {method.card.name!r}"
    training = {name: value for name, value in values.items() if name in TRAINING}
    own = {name: value for name, value in values.items() if name not in TRAINING}
    build = bind(builder_parameters(load(method.card), where), {**method.build, **own}, where)
    return MethodChoice(
        method.card,
        build=build,
        training=dict(sorted({**method.training, **training}.items())),
        encoders=method.encoders,
        terms=method.terms,
    )


def _options(kind: Any) -> tuple[Any, ...]:
    """The options of a union without None; else the type itself."""
    if getattr(kind, "__origin__", None) is Literal:
        return (kind,)
    options = tuple(option for option in get_args(kind) if option is not NoneType)
    return options or (kind,)
