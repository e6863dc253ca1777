"""Specs: how a person names a method, dataset or term with parameters: ``late[width=32,lr=3e-4]``."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from mmbench.core.errors import MmbenchError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]*")
HUB = "hf:"  # what a dataset of the Hugging Face Hub begins with, or a folder that is laid out like one
# ./data, ../data, /data, ~/data, data/card.toml
PATH = re.compile(r"(\.{1,2}|~[^/\[\]]*|)(/[^\[\]]*)?|[^\[\]]*\.toml")
PLAIN = re.compile(r"[A-Za-z0-9_.=-]*")  # what may stand in a file name as it is; + separates there
KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True)
class Spec:
    """A name with the parameters that differ from its defaults, as text."""

    name: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def of(name: str, parameters: Mapping[str, object]) -> "Spec":
        """With the parameters' values as text."""
        return Spec(name, {key: str(value) for key, value in parameters.items()})

    def __str__(self) -> str:
        inside = ",".join(f"{key}={value}" for key, value in sorted(self.parameters.items()))
        return f"{self.name}[{inside}]" if inside else self.name

    @property
    def slug(self) -> str:
        """The same as a file name; distinct specs have distinct slugs."""
        safe = "+".join([self.name, *(f"{key}={value}" for key, value in sorted(self.parameters.items()))])
        if len(safe) <= 100 and all(PLAIN.fullmatch(part) for part in (self.name, *self.parameters.values())):
            return safe
        short = re.sub(r"[^A-Za-z0-9_.+=-]", "_", safe)[:80]
        return f"{short}-{sha256(str(self).encode()).hexdigest()[:8]}"


def is_path(name: str) -> bool:
    """Whether a folder or a file is meant: it begins with ``./``, ``../``, ``/`` or ``~``, or ends in ``.toml``."""
    return bool(name) and PATH.fullmatch(name) is not None


def is_place(name: str) -> bool:
    """Whether a name says where a dataset lies, rather than which installed one is meant."""
    return name.startswith(HUB) or is_path(name)


def parse_spec(text: str) -> Spec:
    """Read ``name`` or ``name[key=value,…]``; commas inside brackets do not separate.

    A name may be a path, or a path after ``hf:``; it may then have spaces.

    Raises:
        MmbenchError: with the part that could not be read.
    """
    text = text.strip()
    name, bracket, rest = text.partition("[")
    if not (NAME.fullmatch(name) or is_path(name.removeprefix(HUB))) or (bracket and not rest.endswith("]")):
        raise MmbenchError(f"cannot read {text!r}: write NAME or NAME[key=value,key=value]")
    parameters: dict[str, str] = {}
    for part in split_outside_brackets(rest.removesuffix("]"), ","):
        key, equals, value = part.partition("=")
        key, value = key.strip(), value.strip()
        if not equals or not KEY.fullmatch(key) or not value:
            raise MmbenchError(f"cannot read {part.strip()!r} in {text!r}: write key=value")
        if key in parameters:
            raise MmbenchError(f"{key!r} is given twice in {text!r}")
        parameters[key] = value
    return Spec(name, parameters)


def split_outside_brackets(text: str, separator: str) -> Iterator[str]:
    """Parts of ``text`` between separators that stand in no bracket; nothing for empty text."""
    if not text.strip():
        return
    awaited, start = "", 0  # the brackets that are still to close, and where the present part begins
    for position, character in enumerate(text):
        if character in CLOSING:
            awaited += CLOSING[character]
        elif character in CLOSING.values():
            if not awaited.endswith(character):
                raise MmbenchError(f"brackets do not match in {text!r}")
            awaited = awaited[:-1]
        elif character == separator and not awaited:
            yield text[start:position]
            start = position + 1
    if awaited:
        raise MmbenchError(f"brackets do not match in {text!r}")
    yield text[start:]
