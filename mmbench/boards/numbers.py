"""Numbers as people read them: as many decimals as mean something, the same in a whole column."""

from collections.abc import Sequence
from math import floor, log10
from statistics import median

from mmbench.core.scores import Score

NONE = "–"
MINUS = "−"


def decimals(score: Score, values: Sequence[float]) -> int:
    """3 for shares and correlations; for other scores those that give three digits to a typical value."""
    if score.high == 1.0 and score.low in (0.0, -1.0):
        return 3
    sizes = [abs(value) for value in values if value]
    return max(0, min(6, 2 - floor(log10(median(sizes))))) if sizes else 3


def fixed(value: float, places: int) -> str:
    """With a minus sign that is one, and without a negative zero."""
    text = f"{abs(value):,.{places}f}"
    negative = value < 0 and any(digit in "123456789" for digit in text)
    return f"{MINUS}{text}" if negative else text


def signed(value: float, places: int) -> str:
    """With a plus sign, too; none for zero."""
    text = fixed(value, places)
    positive = value > 0 and any(digit in "123456789" for digit in text)
    return f"+{text}" if positive else text


def count(number: int | None) -> str:
    """950, 12.3k, 123k, 4.56M."""
    if number is None:
        return NONE
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= 0.9995 * limit:
            return f"{number / limit:#.3g}".removesuffix(".") + unit
    return str(number)


def duration(seconds: float | None) -> str:
    """0.8 s, 12 s, 4.1 min, 2.3 h."""
    if seconds is None:
        return NONE
    for limit, factor, unit in ((120, 1, "s"), (7200, 60, "min")):
        if seconds < limit:
            return f"{seconds / factor:.{0 if seconds / factor >= 9.95 else 1}f} {unit}"
    return f"{seconds / 3600:.1f} h"


def plural(number: int, word: str) -> str:
    """``1 seed``, ``10,000 rows``; a word that ends in a consonant and y gets its ies."""
    if number == 1:
        return f"1 {word}"
    changed = f"{word[:-1]}ies" if word.endswith("y") and word[-2:-1] not in "aeiou" else f"{word}s"
    return f"{number:,} {changed}"
