"""Parameters are a builder's keyword-only arguments: their types and defaults are the one list of them.

``Annotated[int, Range(8, 512, log=True)]`` is a bound and, for tuning, a search space.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from math import inf
from operator import or_
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from mmbench.core.errors import MmbenchError, did_you_mean


@dataclass(frozen=True)
class Range:
    """Bounds of a number, both included; ``log`` is how a search should step through it."""

    low: float
    high: float
    log: bool = False

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Parameter:
    """One keyword argument: its name, type, default and bounds."""

    name: str
    type: Any
    default: object
    bounds: Range | None = None

    def __str__(self) -> str:
        kind = getattr(self.type, "__name__", str(self.type))
        if get_origin(self.type) is Literal:
            kind = "|".join(map(str, get_args(self.type)))
        return f"{self.name}={self.default} ({kind}{f', {self.bounds}' if self.bounds else ''})"

    def read(self, value: object, where: str) -> object:
        """A value of this parameter from text, or from a value that a preset gives.

        Raises:
            MmbenchError: if it is of another type or outside the bounds.
        """
        read = _read(value, self.type) if isinstance(value, str) else value
        wrong = read is _UNREADABLE or not _is(read, self.type)
        if wrong or (self.bounds and isinstance(read, int | float) and read not in self.bounds):
            raise MmbenchError(f"{where}: {self.name}={value} is not allowed; it is {self}")
        return read


def parameters_of(build: Callable[..., object], where: str) -> dict[str, Parameter]:
    """The keyword-only arguments of a builder, by name.

    Raises:
        MmbenchError: if one has no default or no type, which would leave a user guessing.
    """
    function = build.__init__ if inspect.isclass(build) else build
    hints = get_type_hints(function, include_extras=True)
    found: dict[str, Parameter] = {}
    for name, argument in inspect.signature(build).parameters.items():
        if argument.kind is not argument.KEYWORD_ONLY:
            continue
        if argument.default is argument.empty or name not in hints:
            raise MmbenchError(f"{where}: argument {name!r} of its builder needs a type and a default")
        hint, bounds = _without_notes(hints[name])
        found[name] = Parameter(name, hint, argument.default, bounds)
    return found


def _without_notes(hint: Any) -> tuple[Any, Range | None]:
    """A type without its annotations, and the bounds among them, also of one option of a union."""
    if get_origin(hint) is Annotated:
        hint, *notes = get_args(hint)
        return hint, next((note for note in notes if isinstance(note, Range)), None)
    if get_origin(hint) in (Union, UnionType):
        options = [_without_notes(option) for option in get_args(hint)]
        plain = reduce(or_, (option for option, _ in options))
        return plain, next((bounds for _, bounds in options if bounds), None)
    return hint, None


def bind(parameters: Mapping[str, Parameter], given: Mapping[str, object], where: str) -> dict[str, object]:
    """The given values, typed and checked; those equal to the default are left out, so that
    one configuration has one form.

    Raises:
        MmbenchError: for an unknown name or a value that is not allowed.
    """
    bound: dict[str, object] = {}
    for name, value in sorted(given.items()):
        if name not in parameters:
            raise MmbenchError(f"{where} has no parameter {name!r}; {did_you_mean(name, parameters)}")
        read = parameters[name].read(value, where)
        if read != parameters[name].default:
            bound[name] = read
    return bound


_UNREADABLE = object()
_WORDS = {"true": True, "yes": True, "false": False, "no": False}


def _read(text: str, wanted: Any) -> object:
    """``text`` as a value of the wanted type, or ``_UNREADABLE``."""
    origin = get_origin(wanted)
    if origin in (Union, UnionType):
        options = (_read(text, option) for option in sorted(get_args(wanted), key=lambda t: t is not NoneType))
        return next((value for value in options if value is not _UNREADABLE), _UNREADABLE)
    if origin is Literal:
        return next((option for option in get_args(wanted) if str(option) == text), _UNREADABLE)
    if origin is tuple:
        words = [word for word in re.split(r"[,\s]+", text.strip("()")) if word]
        parts = [_read(word, kind) for word, kind in zip(words, _kinds(wanted, len(words)), strict=False)]
        return _UNREADABLE if _UNREADABLE in parts or len(parts) < len(words) else tuple(parts)
    if wanted is NoneType:
        return None if text.lower() == "none" else _UNREADABLE
    if wanted is bool:
        return _WORDS.get(text.lower(), _UNREADABLE)
    if wanted in (int, float, str):
        try:
            return wanted(text)
        except ValueError:
            return _UNREADABLE
    return _UNREADABLE


def _is(value: object, wanted: Any) -> bool:
    """Whether a value has the wanted type; an int is a float, a bool is no int, NaN and infinity are none."""
    origin = get_origin(wanted)
    if origin in (Union, UnionType):
        return any(_is(value, option) for option in get_args(wanted))
    if origin is Literal:
        return value in get_args(wanted)
    if origin is tuple:
        if not isinstance(value, tuple) or len(value) != len(_kinds(wanted, len(value))):
            return False
        return all(_is(part, kind) for part, kind in zip(value, _kinds(wanted, len(value)), strict=True))
    if wanted in (int, float):
        kinds = (int,) if wanted is int else (int, float)
        return isinstance(value, kinds) and not isinstance(value, bool) and abs(value) < inf
    return isinstance(value, wanted)


def _kinds(wanted: Any, length: int) -> tuple[Any, ...]:
    """The types of a tuple's parts; those of ``tuple[X, ...]`` for as many as there are."""
    kinds = get_args(wanted)
    return (kinds[0],) * length if kinds[-1:] == (Ellipsis,) else kinds
