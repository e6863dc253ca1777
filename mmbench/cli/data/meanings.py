"""What a builder's parameters mean, from its docstring: Google style, ``name: text`` under ``Args:``."""

import inspect
import re
from collections.abc import Callable

ARGUMENT = re.compile(r"(\w[\w, ]*): (.*)")


def meanings(build: Callable[..., object]) -> dict[str, str]:
    """{parameter: what it means}, as far as the docstring says so; ``a, b: text`` speaks of both."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in _arguments(inspect.getdoc(build) or ""):
        begins = ARGUMENT.match(line[4:])
        if begins and not line.startswith(" " * 5):
            names = [name.strip() for name in begins[1].split(",")]
            found.update(dict.fromkeys(names, begins[2].strip()))
        else:
            found.update({name: f"{found[name]} {line.strip()}" for name in names})
    return found


def _arguments(text: str) -> list[str]:
    """The lines under ``Args:``, up to the next part."""
    lines = text.splitlines()
    if "Args:" not in lines:
        return []
    under = lines[lines.index("Args:") + 1 :]
    end = next((i for i, line in enumerate(under) if line and not line.startswith("    ")), len(under))
    return [line for line in under[:end] if line.strip()]
