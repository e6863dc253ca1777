"""What ``mmbench data fetch`` shows: a bar on a terminal, a line a file elsewhere."""

from typing import IO

from mmbench.data.fetch.progress import Progress

KIBIBYTE, MEBIBYTE = 2**10, 2**20


class Lines(Progress):
    """One line a file: for logs and pipes."""

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream
        self.name, self.done = "", 0

    def say(self, line: str) -> None:
        print(line, file=self.stream, flush=True)

    def begin(self, name: str, total: int | None) -> None:
        self.name, self.done = name, 0

    def at(self, done: int) -> None:
        self.done = done

    def end(self) -> None:
        size = f"{self.done / MEBIBYTE:.1f} MiB" if self.done >= MEBIBYTE else f"{self.done / KIBIBYTE:.1f} KiB"
        self.say(f"  {self.name}: {size}")


class Bars(Progress):
    """A bar for the file that is under way: for terminals."""

    def __init__(self, stream: IO[str]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
        from rich.progress import Progress as Bar
        from rich.table import Column

        self.console = Console(file=stream)
        self.columns = (
            TextColumn("  {task.description}", table_column=Column(no_wrap=True, overflow="ellipsis", max_width=30)),
            BarColumn(12),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        self.new = Bar
        self.bar: Bar | None = None

    def say(self, line: str) -> None:
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def begin(self, name: str, total: int | None) -> None:
        from rich.markup import escape

        self.bar = self.new(*self.columns, console=self.console)
        self.bar.add_task(escape(name), total=total)
        self.bar.start()

    def at(self, done: int) -> None:
        if self.bar is not None:
            self.bar.update(self.bar.task_ids[0], completed=done)

    def end(self) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = None


def make_progress(stream: IO[str]) -> Progress:
    """Bars on a terminal, lines elsewhere."""
    return Bars(stream) if stream.isatty() else Lines(stream)
