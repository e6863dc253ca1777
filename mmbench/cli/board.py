"""``mmbench board``: leaderboards from result files alone."""

import sys
from pathlib import Path

import click

from mmbench.cli.options import RESULTS
from mmbench.core.errors import MmbenchError


@click.command(short_help="Leaderboards of what has run, in the terminal or as Markdown.")
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--protocol", help="Of this protocol alone.")
@click.option("-d", "--dataset", help="Of this dataset alone.")
@click.option("--details", is_flag=True, help="With the second table: further scores and cost.")
@click.option("--summary", is_flag=True, help="One table over all datasets, and nothing else.")
@click.option("--markdown", type=click.Path(path_type=Path, file_okay=False), help="Write Markdown into this folder.")
def board(
    folders: tuple[Path, ...],
    protocol: str | None,
    dataset: str | None,
    details: bool,
    summary: bool,
    markdown: Path | None,
) -> None:
    """Show leaderboards of the results in FOLDERS (by default ./results).

    A board is a function of the files alone: nothing is run. Intervals and ranks come from
    `mmbench results analyse`, which `mmbench run` calls at its end.
    """
    from mmbench.boards import terminal
    from mmbench.boards.board import load_boards
    from mmbench.boards.markdown import write_markdown

    boards = load_boards(folders or (RESULTS,), protocol=protocol, dataset=_canonical(dataset))
    if not boards:
        where = ", ".join(map(str, folders or ("results",)))
        raise MmbenchError(f"there are no results in {where}; run `mmbench run` first, or name another folder")
    if markdown is not None:
        for path in write_markdown(boards, markdown):
            click.echo(path)
        return
    width, colour = _width(), sys.stdout.isatty()
    if not summary:
        click.echo(terminal.render(boards, colour=colour, width=width, detailed=details))
    click.echo(terminal.render_summary(boards, colour=colour, width=width))


def _canonical(dataset: str | None) -> str | None:
    """As results call it what `mmbench run -d` calls so; what is not installed here is called as it was typed."""
    from mmbench.registry import installed
    from mmbench.sweep.choices import choose_dataset

    if dataset is None or not any(mark in dataset for mark in "[./:~"):
        return dataset
    try:
        return str(choose_dataset(installed(), dataset).spec)
    except MmbenchError:
        return dataset


def _width() -> int:
    from shutil import get_terminal_size

    return max(80, get_terminal_size((120, 24)).columns)
