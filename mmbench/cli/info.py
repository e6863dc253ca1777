"""``mmbench info``: versions, machine and folders, for a bug report."""

import os

import click

from mmbench import __version__
from mmbench.registry import installed


@click.command(short_help="Versions, machine and folders, for a bug report.")
def info() -> None:
    """Print versions, the machine and the folders in use."""
    from tabulate import tabulate

    from mmbench.data.cache import cache_root
    from mmbench.results.provenance import git_state, hardware, libraries

    commit, dirty = git_state()
    registry = installed()
    broken = sum(plugin.status == "broken" for plugin in registry.plugins)
    rows = [
        ("mmbench", f"{__version__} {commit[:10]}{' with changes' if dirty else ''}".strip()),
        *libraries().items(),
        *((name, str(value)) for name, value in hardware().items()),
        ("plugins", f"{len(registry.plugins)}, {broken} broken" if broken else str(len(registry.plugins))),
        ("methods", str(len(registry.methods))),
        ("datasets", str(len(registry.datasets))),
        ("cache", str(cache_root())),
        ("MMBENCH_DATA", os.environ.get("MMBENCH_DATA", "not set")),
    ]
    click.echo(tabulate(rows, tablefmt="plain", disable_numparse=True))
