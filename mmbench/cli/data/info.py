"""``mmbench data info``: all that is known of one dataset."""

from collections.abc import Iterator
from dataclasses import replace
from textwrap import fill

import click

from mmbench.cli.data.meanings import meanings
from mmbench.cli.data.words import files, rows, shape, task
from mmbench.core.cards import DatasetCard
from mmbench.core.errors import MmbenchError
from mmbench.registry import installed
from mmbench.sweep.choices import DatasetChoice, choose_dataset

WIDTH = 100


@click.command(short_help="All that is known of one dataset: its card, parameters and place in the cache.")
@click.argument("dataset", metavar="DATASET[k=v]")
def info(dataset: str) -> None:
    """Print a dataset's card, its parameters, and whether it is prepared.

    What it was measured to be under the parameters given stands there once it is prepared; before,
    what its card says of the default ones.
    """
    choice = choose_dataset(installed(), dataset)
    for name, said in (*_of_card(choice), *_of_parameters(choice.card), *_of_files(choice)):
        if said:
            text = f"{name:<12} {said}"  # paths and addresses stay whole, to be copied
            click.echo(fill(text, WIDTH, subsequent_indent=" " * 13, break_long_words=False, break_on_hyphens=False))


def _of_card(choice: DatasetChoice) -> Iterator[tuple[str, str]]:
    from mmbench.data.cache import find

    card, kept = choice.card, find(choice.card, choice.parameters)
    if choice.parameters and not kept:
        yield "", "What follows is of the default parameters, until the dataset is prepared under these."
    if kept:
        sizes = kept.sizes["train"], kept.sizes["validation"], kept.sizes["test"]
        card = replace(card, task=kept.task, sizes=sizes, ceiling=kept.ceiling)
    yield "dataset", str(choice.spec)
    yield "", card.summary
    yield "task", f"{task(card)}, judged by {card.task.metric} {card.task.score.arrow}"
    for modality in card.task.modalities:
        more = [f"{modality.vocabulary} ids"] if modality.vocabulary else []
        more += [f"{modality.rate:g} frames a second"] if modality.timed and modality.rate != 1 else []
        yield "modality", ", ".join([f"{modality.name}: {modality.kind} {shape(modality)}", *more])
    yield "rows", f"{rows(card)} of train, validation and test"
    yield "group", card.group
    yield "ceiling", "" if card.ceiling is None else f"{card.task.metric} {card.ceiling:.4f}"
    yield "training", ", ".join(f"{name}={value}" for name, value in card.training.items())
    for protocol, change in card.protocols.items():
        changed = change if isinstance(change, str) else ", ".join(f"{name}={value}" for name, value in change.items())
        yield "protocol", f"{protocol}: {'leaves it out: ' if isinstance(change, str) else ''}{changed}"
    yield "cost", f"{card.minutes:g} minutes of a core for a neural method with all seeds" if card.minutes else ""
    for name in ("version", "licence", "citation", "source", "notes"):
        yield name, getattr(card, name)
    for sentence in card.findings if not choice.parameters else ():
        yield "finding", sentence


def _of_parameters(card: DatasetCard) -> Iterator[tuple[str, str]]:
    """Of its builder; one that cannot be imported here is told, and hides nothing else."""
    from mmbench.core.parameters import parameters_of
    from mmbench.registry import load

    try:
        build = load(card)
        found, meant = parameters_of(build, f"dataset {card.name!r}"), meanings(build)
    except (ImportError, MmbenchError) as error:
        yield "parameters", f"not known: {error}"
        return
    for name, parameter in found.items():
        if name in card.preset:
            yield "preset", f"{name}={card.preset[name]}"
        else:
            yield "parameter", f"{parameter}: {meant[name]}" if name in meant else str(parameter)


def _of_files(choice: DatasetChoice) -> Iterator[tuple[str, str]]:
    from mmbench.data.cache import find
    from mmbench.data.locate import find_collection

    yield "files", files(choice.card)
    for name in choice.card.collections:
        yield "collection", f"{name}: {find_collection(name) or 'missing'}"
    kept = find(choice.card, choice.parameters)
    yield "prepared", str(kept.folder) if kept else "no; it is made when it is first used"
    yield "fingerprint", kept.fingerprint if kept else ""
    pinned = choice.card.content if not choice.parameters else ""
    yield "pinned", pinned if not kept or kept.fingerprint != pinned else "as on the card"
