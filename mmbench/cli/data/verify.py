"""``mmbench data verify``: whether the files of collections are what they should be."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mmbench.data.fetch.collections import Table

FAILED = 1


@click.command(short_help="Whether the files are there, and what they should be.")
@click.argument("names", nargs=-1, metavar="[NAME…]")
@click.pass_obj
def verify(table: "Table | None", names: tuple[str, ...]) -> None:
    """Compare the files of collections with what is known of them; of all, if none is named.

    NAME is a collection, or a dataset that is made from some. Exit code 1 if one is damaged, or one that was
    named is missing.
    """
    from tabulate import tabulate

    from mmbench.data.fetch.collections import collections
    from mmbench.data.fetch.names import resolve
    from mmbench.data.locate import missing

    table = collections() if table is None else table
    rows, problems = [], []
    for name in resolve(names, table) if names else table:
        state, where, found = look_at(name, table)
        rows.append((name, state, where))
        problems += [f"{name}: {problem}" for problem in found]
    absent = [name for name, state, _ in rows if state == "missing"]
    if absent:
        problems.append(missing(absent))
    click.echo(tabulate(rows, ["collection", "state", "folder"], tablefmt="simple", disable_numparse=True))
    for problem in problems:
        click.echo(problem, err=True)
    if any(state == "damaged" for _, state, _ in rows) or (absent and names):
        raise SystemExit(FAILED)


def look_at(name: str, table: "Table") -> tuple[str, str, list[str]]:
    """``ok``, ``missing`` or ``damaged``; the folder; and what is wrong."""
    from mmbench.data import fetch as fetching
    from mmbench.data.locate import find_collection

    folder = find_collection(name)
    if folder is None:
        return "missing", "", []
    problems = fetching.verify(name, table)
    return ("damaged" if problems else "ok"), str(folder), problems
