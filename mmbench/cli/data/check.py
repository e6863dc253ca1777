"""``mmbench data check``: leaks between splits, and what a reader of scores should know."""

import json
from collections.abc import Iterator
from dataclasses import asdict

import click

from mmbench.core.errors import MmbenchError
from mmbench.registry import Registry, installed
from mmbench.sweep.choices import DatasetChoice, choose_dataset


@click.command(short_help="Leaks between splits, and what a reader of scores should know.")
@click.argument("datasets", nargs=-1, metavar="[DATASET[k=v]]...")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def check(datasets: tuple[str, ...], as_json: bool) -> None:
    """Look for rows, near copies, runs of frames and groups that splits share, and describe the rest.

    Without names: every dataset that can be made here. What the check warns of belongs on the
    dataset's card, word for word: the exit code is 1 if a leak is not there, or a dataset cannot
    be made.
    """
    registry = installed()
    reports, failed = [], False
    for choice in _chosen(registry, datasets):
        try:
            report, text = _report(choice)
        except Exception as error:  # a dataset that cannot be made costs itself alone, unless it was asked for
            if datasets and isinstance(error, MmbenchError):
                raise
            report = {"dataset": str(choice.spec), "error": f"{type(error).__name__}: {error}"}
            text = f"{choice.spec}\n  cannot be checked: {report['error']}"
        failed |= bool(report.get("error") or report.get("leaks_not_on_card"))
        reports.append(report)
        if not as_json:
            click.echo(f"{text}\n")
    if as_json:
        click.echo(json.dumps(reports, indent=1))
    raise SystemExit(int(failed))


def _chosen(registry: Registry, names: tuple[str, ...]) -> Iterator[DatasetChoice]:
    """The datasets that were named, or all whose files are here."""
    from mmbench.data.locate import missing

    if names:
        yield from [choose_dataset(registry, name) for name in names]  # all are read before the first is made
        return
    for card in registry.datasets.values():
        lacking = missing(card.collections)
        if lacking:
            click.echo(f"{card.name} is left out: {lacking}", err=True)
        else:
            yield DatasetChoice(card)


def _report(choice: DatasetChoice) -> tuple[dict[str, object], str]:
    from mmbench.data.cache import prepare
    from mmbench.data.check.check import look_into, not_found, not_on_card
    from mmbench.data.check.text import as_text

    found = look_into(prepare(choice.card, choice.parameters))
    new = not_on_card(choice.card, found.warnings)
    gone = () if choice.parameters else not_found(choice.card, found)  # a card speaks of the default parameters
    report = {
        "dataset": str(choice.spec),
        **asdict(found),
        "not_on_card": new,
        "leaks_not_on_card": not_on_card(choice.card, found.leaks),
        "on_card_but_not_found": gone,
    }
    return report, as_text(str(choice.spec), found, new, gone)
