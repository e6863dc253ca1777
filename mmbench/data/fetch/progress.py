"""Who is told how a fetch goes. Light."""


class Progress:
    """Is told of every file that is downloaded, and of what comes between; says nothing itself."""

    def say(self, line: str) -> None:
        """A sentence for the user."""

    def begin(self, name: str, total: int | None) -> None:
        """A download begins. ``total`` bytes are expected, None where the server does not say."""

    def at(self, done: int) -> None:
        """Bytes that are there of the file that was begun last."""

    def end(self) -> None:
        """The file that was begun last is whole, or was given up."""


QUIET = Progress()
