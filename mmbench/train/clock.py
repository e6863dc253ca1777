"""Where the time goes: seconds of wall time by what they were spent on."""

from collections.abc import Iterable, Iterator
from time import perf_counter
from types import TracebackType
from typing import Self, TypeVar

Item = TypeVar("Item")


class Clock:
    """Adds up seconds: ``with clock("steps"): …``.

    It is the time of the host. On an accelerator kernels run on after the call that started them, and
    nothing here waits for them: their time falls to whoever next reads a value back, so that a part should
    end with such a reading if it is to hold its own. Spans of one name do not nest; those of several names
    may, and then count the same seconds twice.

    Attributes:
        seconds: by name, in the order in which they were first met.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._spans: dict[str, _Span] = {}

    def __call__(self, name: str) -> "_Span":
        """A span of time that is to be added to ``name``, also if it ends with an exception."""
        span = self._spans.get(name)
        if span is None:
            self.seconds[name] = 0.0
            span = self._spans[name] = _Span(self.seconds, name)
        return span

    def each(self, name: str, items: Iterable[Item]) -> Iterator[Item]:
        """The same items; the time that it takes to get them is added to ``name``."""
        source, span = iter(items), self(name)
        while True:
            with span:
                try:
                    item = next(source)
                except StopIteration:
                    return
            yield item


class _Span:
    """Made once a name: entering one costs a reading of the clock."""

    __slots__ = ("name", "seconds", "started")

    def __init__(self, seconds: dict[str, float], name: str) -> None:
        self.seconds, self.name, self.started = seconds, name, 0.0

    def __enter__(self) -> Self:
        self.started = perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds[self.name] += perf_counter() - self.started
