"""The command line: verbs that parse, call and print. A verb's module is imported when it is used."""

from importlib import import_module

import click

from mmbench import __version__
from mmbench.core.errors import MmbenchError

VERBS = {
    "run": "mmbench.cli.run:run",
    "board": "mmbench.cli.board:board",
    "results": "mmbench.cli.results:results",
    "list": "mmbench.cli.listing:listing",
    "info": "mmbench.cli.info:info",
}


class Verbs(click.Group):
    """A group whose commands are imported one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module, _, attribute = VERBS[cmd_name].partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{VERBS[cmd_name]} is no command")
        return command

    def invoke(self, ctx: click.Context) -> object:
        """A user's mistake is told in its own words, without a traceback: exit code 2."""
        try:
            return super().invoke(ctx)
        except MmbenchError as error:
            raise click.UsageError(str(error)) from None


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="mmbench")
def main() -> None:
    """Compare multimodal fusion methods on standardized datasets.

    \b
    mmbench run --all --protocol quick   run everything that is installed, in minutes
    mmbench run -m late -d avdigits      one method on one dataset, 5 seeds
    mmbench list methods                 what there is
    mmbench board                        the leaderboards of what has run
    """
