"""Errors that are a person's to mend: they say what was wrong and what to do."""

from collections.abc import Iterable
from difflib import get_close_matches


class MmbenchError(Exception):
    """Something that a user, or the author of a plugin, can mend.

    The command line prints its message without a traceback and exits with code 2.
    """


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The sentence that follows an unknown name: the nearest known ones, or all of them."""
    known = sorted(known)
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"known: {', '.join(known)}" if known else "none is known"
