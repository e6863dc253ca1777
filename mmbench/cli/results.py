"""``mmbench results``: look at the records, and compute the intervals of the boards."""

import os
from pathlib import Path

import click

from mmbench.cli.options import RESULTS

FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.group(invoke_without_command=True, short_help="The records: what there is, what failed, what is stale.")
@click.option("--out", type=FOLDER, default=RESULTS, show_default=True, help="Folder of the results.")
@click.option("--failed", is_flag=True, help="Those without a score, with their tracebacks.")
@click.pass_context
def results(ctx: click.Context, out: Path, failed: bool) -> None:
    """List how many records of each method and dataset there are below a folder, and of which status.

    `stale` are those that other code has made than what is installed now.
    """
    if ctx.invoked_subcommand:
        return
    from mmbench.cli.records import failures_text, records_text

    click.echo(failures_text(out) if failed else records_text(out))


@results.command(short_help="Intervals, comparisons and ranks for the boards.")
@click.argument("folder", type=FOLDER, default=RESULTS)
def analyse(folder: Path) -> None:
    """Compute intervals that resample seeds and test examples, and paired comparisons.

    They are kept beside the results, so that `mmbench board` needs nothing but files.
    """
    from mmbench.boards.analysis import analyse as compute

    for path in compute(folder, jobs=os.cpu_count() or 1):
        click.echo(path)
