"""``mmbench data fetch``: download the files of collections and convert them."""

import sys
from typing import TYPE_CHECKING

import click

from mmbench.core.errors import MmbenchError

if TYPE_CHECKING:
    from mmbench.data.fetch.collections import Table
    from mmbench.data.fetch.origins import Collection

FAILED = 1


@click.command(short_help="Download the files that datasets are made from.")
@click.argument("names", nargs=-1, metavar="NAME…")
@click.option("--all", "everything", is_flag=True, help="Every collection.")
@click.pass_obj
def fetch(table: "Table | None", names: tuple[str, ...], everything: bool) -> None:
    """Download collections from their public sources, and convert them.

    NAME is a collection, or a dataset that is made from some. What is there already is not downloaded
    again; a download that was interrupted goes on where it stopped. Mind the licences: they are shown.
    """
    from mmbench.cli.data.downloads import make_progress
    from mmbench.data import fetch as fetching
    from mmbench.data.fetch.collections import collections, find
    from mmbench.data.fetch.names import resolve

    table = collections() if table is None else table
    if everything == bool(names):
        raise MmbenchError(f"give NAME…, or --all; there are {', '.join(table)}")
    progress = make_progress(sys.stderr)
    failed = False
    for name in table if everything else resolve(names, table):
        progress.say(introduction(find(name, table)))
        try:
            folder = fetching.fetch(name, progress, table)
        except MmbenchError as error:
            failed = True
            progress.say(f"{name}: failed: {error}")
        except KeyboardInterrupt:
            progress.say("interrupted; the same command goes on where this one stopped")
            raise
        else:
            click.echo(f"{name}: {folder}")
    if failed:
        raise SystemExit(FAILED)


def introduction(collection: "Collection") -> str:
    """What a collection is, its licence and its source."""
    lines = (
        f"{collection.name}: {collection.summary}",
        f"  licence: {collection.licence}",
        f"  source: {collection.source}",
        f"  from: {collection.read_from}",
    )
    return "\n".join(lines)
