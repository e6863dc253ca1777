"""``mmbench data list``: the datasets, where their files are, and which are prepared."""

import json

import click

from mmbench.cli.data.words import files, modalities, rows, task
from mmbench.core.cards import DatasetCard
from mmbench.registry import installed


@click.command("list", short_help="The datasets, where their files are, and which are prepared.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def listing(as_json: bool) -> None:
    """List every dataset with its task, rows and modalities, and say what of it is on this machine.

    `prepared` datasets lie in the cache under their default parameters.
    """
    from tabulate import tabulate

    cards = installed().datasets.values()
    if as_json:
        click.echo(json.dumps([_plain(card) for card in cards], indent=1))
        return
    lines = [[card.name, task(card), rows(card), modalities(card), files(card), _prepared(card)] for card in cards]
    headings = ["dataset", "task", "train/val/test", "modalities", "files", "prepared"]
    widths = [None, None, None, 44, 36, None]
    click.echo(tabulate(lines, headings, tablefmt="simple", disable_numparse=True, maxcolwidths=widths))


def _plain(card: DatasetCard) -> dict[str, object]:
    from mmbench.data.locate import find_collection

    return {
        "name": card.name,
        "task": card.task.kind,
        "outputs": card.task.outputs,
        "sizes": card.sizes,
        "modalities": {modality.name: modality.kind for modality in card.task.modalities},
        "collections": {name: str(find_collection(name) or "") for name in card.collections},
        "files": files(card),
        "prepared": _prepared(card) == "yes",
    }


def _prepared(card: DatasetCard) -> str:
    """Whether it is in the cache; a damaged cache, or a builder that is not installed, hides no other dataset."""
    from mmbench.core.errors import MmbenchError
    from mmbench.data.cache import find

    try:
        return "yes" if find(card, {}) else "no"
    except MmbenchError as error:
        return str(error)
