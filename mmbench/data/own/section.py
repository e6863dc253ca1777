"""A section of a card file, read key by key with its type; what nobody asks for is a mistake. Light."""

from collections.abc import Iterable, Mapping
from math import isfinite

from mmbench.core.errors import MmbenchError, did_you_mean


class Section:
    """The keys of one TOML table.

    Args:
        values: as tomllib gives them.
        where: how messages begin.
    """

    def __init__(self, values: object, where: str) -> None:
        self.where = where
        if not isinstance(values, dict):
            raise self.error(f"it is {values!r}, and has to be a section with keys of its own")
        self.values: Mapping[str, object] = values

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def error(self, what: str) -> MmbenchError:
        return MmbenchError(f"{self.where}: {what}")

    def only(self, known: Iterable[str], elsewhere: Mapping[str, str] | None = None) -> None:
        """Refuse keys that are not known.

        Args:
            known: keys that may stand here.
            elsewhere: {key: where it belongs}, of keys that are known, but not here.
        """
        for key in self.values:
            if key in known:
                continue
            if elsewhere and key in elsewhere:
                raise self.error(f"{key!r} {elsewhere[key]}")
            raise self.error(f"there is no key {key!r}; {did_you_mean(key, known)}")

    def section(self, key: str) -> "Section":
        """A section inside; empty where there is none."""
        return Section(self.values.get(key, {}), f"{self.where}, [{key}]")

    def text(self, key: str, default: str | None = None) -> str:
        """Text without its outer spaces; a key without default has to be there and not be empty."""
        value = self._get(key, default)
        if not isinstance(value, str):
            raise self.error(f"{key} is text in quotes, not {value!r}")
        value = value.strip()
        if not value and default is None:
            raise self.error(f"{key} is empty")
        self._refuse_placeholder(key, value)
        return value

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """One text or a list of them."""
        value = self._get(key, default)
        parts = [value] if isinstance(value, str) else value
        if not isinstance(parts, list | tuple) or not all(isinstance(part, str) and part.strip() for part in parts):
            raise self.error(f"{key} is text in quotes, or a list of texts, not {value!r}")
        if key in self and not parts:
            raise self.error(f"{key} is an empty list")
        for part in parts:
            self._refuse_placeholder(key, part)
        if len(set(parts)) < len(parts):
            raise self.error(f"{key} has {next(part for part in parts if parts.count(part) > 1)!r} twice")
        return tuple(part.strip() for part in parts)

    def whole(self, key: str, default: int | None = None, least: int = 1) -> int:
        """A whole number that is at least ``least``."""
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or (key in self and value < least):
            raise self.error(f"{key} is a whole number from {least} on, not {value!r}")
        return value

    def wholes(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers from 1 on; empty where there is none."""
        value = self.values.get(key, [])
        good = isinstance(value, list) and all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in value)
        if not isinstance(value, list) or not good or (key in self and not value):
            raise self.error(f"{key} is a list of whole numbers from 1 on, such as [32, 32], not {value!r}")
        return tuple(value)

    def number(self, key: str, default: float | None = None, positive: bool = True) -> float:
        """A number; greater than zero, or at least zero."""
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise self.error(f"{key} is a number, not {value!r}")
        if key in self and (value <= 0 if positive else value < 0):
            raise self.error(f"{key} is {'greater than 0' if positive else '0 or more'}, not {value!r}")
        return float(value)

    def _get(self, key: str, default: object) -> object:
        if key not in self.values and default is None:
            raise self.error(f"{key} is missing")
        return self.values.get(key, default)

    def _refuse_placeholder(self, key: str, value: str) -> None:
        if value.startswith("<") and value.endswith(">"):
            raise self.error(f"{key} still is the placeholder {value}; fill it in")
