"""``mmbench data path``: where the files of a collection are."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mmbench.data.fetch.collections import Table


@click.command(short_help="Where the files of a collection are.")
@click.argument("name")
@click.pass_obj
def path(table: "Table | None", name: str) -> None:
    """Print the folder of a collection, or those that a dataset is made from, a line each."""
    from mmbench.data.fetch.names import resolve
    from mmbench.data.locate import collection

    for folder in [collection(name) for name in resolve([name], table)]:
        click.echo(folder)
