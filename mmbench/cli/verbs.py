"""A group of verbs whose modules are imported one at a time, when they are used."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from mmbench.core.errors import MmbenchError


class Verbs(click.Group):
    """Commands by name, each as ``"package.module:command"``."""

    def __init__(self, *, verbs: Mapping[str, str], **options: Any) -> None:
        super().__init__(**options)
        self.verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.verbs:
            return None
        module, _, attribute = self.verbs[cmd_name].partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.verbs[cmd_name]} is no command")
        return command

    def invoke(self, ctx: click.Context) -> object:
        """A user's mistake is told in its own words, without a traceback: exit code 2."""
        try:
            return super().invoke(ctx)
        except MmbenchError as error:
            raise click.UsageError(str(error)) from None
