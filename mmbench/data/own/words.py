"""Text as token ids: lower-case words, the most frequent of the train split; 0 is padding, 1 unknown."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

WORD = re.compile(r"\w+")
FIRST = 2  # the first id of a word


def split_words(text: str) -> list[str]:
    """The words of a text: runs of letters, digits and underscores, in lower case."""
    return WORD.findall(text.lower())


def vocabulary(texts: Iterable[Sequence[str]], ids: int) -> dict[str, int]:
    """{word: id} of the most frequent words, those as frequent as each other in alphabetical order.

    Args:
        texts: of the train split, as words.
        ids: how many there are, padding and unknown among them.
    """
    counts = Counter(word for words in texts for word in words)
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    return {word: place + FIRST for place, word in enumerate(ranked[: ids - FIRST])}
