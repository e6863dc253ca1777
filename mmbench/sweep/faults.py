"""Faults: what an exception of somebody's code means for a cell, in words that a record can hold."""

import traceback

MESSAGE, TRACEBACK = 500, 50_000  # characters that are kept


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory was refused: by Python, NumPy, CUDA, or torch on the CPU, which has no error of its own for it."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in _text(error)


def message_of(error: BaseException) -> str:
    """One line: the type, and the first line of the text."""
    kind = "out of memory" if is_out_of_memory(error) else type(error).__name__
    words = words_of(error)
    return shortened(f"{kind}: {words}" if words else kind, MESSAGE)


def words_of(error: BaseException) -> str:
    """The first line of what an error says."""
    return shortened(next(iter(_text(error).strip().splitlines()), ""), MESSAGE)


def traceback_of(error: BaseException) -> str:
    return shortened("".join(traceback.format_exception(error)), TRACEBACK)


def shortened(text: str, limit: int) -> str:
    """At most so many characters, all of which a file can hold: the beginning and the end."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= limit else f"{text[: limit // 2]} [...] {text[-limit // 2 :]}"


def _text(error: BaseException) -> str:
    """What an error says. To say it is the plugin's code too, and may go wrong."""
    try:
        return str(error)
    except BaseException as second:
        return f"(its text cannot be shown: {type(second).__name__})"
