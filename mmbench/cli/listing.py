"""``mmbench list``: what is installed."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import click

from mmbench.core.cards import DatasetCard, MeasureCard, MethodCard, TermCard
from mmbench.core.task import TASK_KINDS
from mmbench.registry import Plugin, Registry, installed

THINGS = ("methods", "datasets", "plugins", "terms", "encoders", "measures")


@click.command("list", short_help="What is installed: methods, datasets, plugins, terms, encoders, measures.")
@click.argument("things", type=click.Choice(THINGS))
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def listing(things: str, as_json: bool) -> None:
    """List the installed methods, datasets, plugins, terms, encoders or measures."""
    registry = installed()
    if things == "encoders":
        some = _encoders()
        plain = [{"name": name, "summary": summary} for name, summary in some]
        click.echo(json.dumps(plain, indent=1) if as_json else _table(["encoder", "what it is"], some))
        return
    if as_json:
        click.echo(json.dumps(_plain(registry, things), indent=1))
        return
    if things == "plugins":
        click.echo(_plugins(registry.plugins))
        return
    rows = {
        "methods": [_method(card) for card in registry.methods.values()],
        "datasets": [_dataset(card) for card in registry.datasets.values()],
        "terms": [_term(card) for card in registry.terms.values()],
        "measures": [_measure(card) for card in registry.measures.values()],
    }
    click.echo(_table(_HEADINGS[things], rows[things]))
    broken = [plugin.name for plugin in registry.plugins if plugin.status == "broken"]
    if broken:
        click.echo(f"\nBroken plugins: {', '.join(broken)}; see `mmbench list plugins`.", err=True)


_HEADINGS = {
    "methods": ["method", "role", "what it is", "tasks"],
    "datasets": ["dataset", "task", "modalities", "train/val/test", "ceiling", "quick"],
    "terms": ["term", "what it is", "tasks"],
    "measures": ["measure", "taken", "what it is", "on boards"],
}


def _plain(registry: Registry, things: str) -> object:
    if things == "plugins":
        return [asdict(plugin) for plugin in registry.plugins]
    cards: Mapping[str, MethodCard] = getattr(registry, things)
    return [asdict(card) for card in cards.values()]


def _method(card: MethodCard) -> list[str]:
    return [card.name, f"{card.role} (opt-in)" if card.opt_in else card.role, card.summary, _kinds(card.tasks)]


def _dataset(card: DatasetCard) -> list[str]:
    task = card.task
    kind = f"{task.kind} {task.outputs}" if task.outputs else task.kind
    modalities = ", ".join(f"{m.name} ({m.kind} {'×'.join(map(str, m.shape))})" for m in task.modalities)
    ceiling = "" if card.ceiling is None else f"{task.metric} {card.ceiling:.4f}"
    quick = card.protocols.get("quick", {})
    change = "no" if isinstance(quick, str) else ", ".join(f"{k}={v}" for k, v in quick.items())
    return [card.name, kind, modalities, "/".join(map(str, card.sizes)), ceiling, change]


def _term(card: TermCard) -> list[str]:
    return [card.name, card.summary, _kinds(card.tasks)]


def _measure(card: MeasureCard) -> list[str]:
    """Of a measure of the fitted method, what boards show of its scores, of which there may be dozens."""
    shown = card.scores
    if card.needs == "method":
        names = (card.headline, *card.details)
        shown = tuple(score for name in names for score in card.scores if score.name == name)
    taken = "every record" if card.needs == "predictions" else "opt-in" if card.opt_in else "default"
    return [card.name, taken, card.summary, "; ".join(score.title for score in shown)]


def _encoders() -> list[list[str]]:
    """``image:depthwise`` as it stands in ``METHOD[encoder=image:depthwise]``, and what it is."""
    from mmbench.nn.encoders import ENCODERS  # it comes with torch

    rows = []
    for kind, some in ENCODERS.items():
        for name, build in some.items():
            what = re.split("[.:;,(]", build.__doc__ or "")[0]
            rows.append([f"{kind}:{name}" if name else f"{kind} (default)", " ".join(what.split())])
    return rows


def _kinds(tasks: Sequence[str]) -> str:
    lacking = [kind for kind in TASK_KINDS if kind not in tasks]
    if not lacking:
        return "all"
    return ", ".join(tasks) if len(tasks) <= len(lacking) else f"all but {', '.join(lacking)}"


def _plugins(plugins: Sequence[Plugin]) -> str:
    rows = []
    for plugin in plugins:
        offers = ", ".join(f"{len(names)} {kind}" for kind, names in plugin.cards.items()) or "nothing"
        rows.append([plugin.name, f"{plugin.distribution} {plugin.version}", plugin.status, offers])
    lines = [_table(["plugin", "distribution", "status", "offers"], rows)]
    for plugin in plugins:
        for problem in plugin.problems:
            lines.append(f"\n{plugin.name}: {problem}")
        if plugin.traceback:
            lines.append("\n".join(f"    {line}" for line in plugin.traceback.rstrip().splitlines()))
    return "\n".join(lines)


def _table(headings: list[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "none installed"
    from tabulate import tabulate

    return tabulate(
        rows, headings, tablefmt="simple", disable_numparse=True, maxcolwidths=[None] + [44] * len(headings)
    )
