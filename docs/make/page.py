"""Writes ``docs/datasets.md`` from the cards; with ``--pictures``, the pictures of samples too.

``make docs`` runs it. The text is a function of the cards alone; pictures need the data.
"""

import sys
from pathlib import Path

from mmbench.core.cards import DatasetCard
from mmbench.core.modality import Modality
from mmbench.registry import installed

PAGE = Path(__file__).parents[1] / "datasets.md"
PICTURES = PAGE.parent / "pictures"

INTRODUCTION = """# Datasets

Made from the cards by `make docs`; what a card says, `mmbench data info NAME` shows too. Every dataset comes with
fixed train, validation and test splits, is standardised with what its train split alone says, and has a fingerprint
that is part of every result. [data-sources.md](data-sources.md) says where the files come from,
[own-data.md](own-data.md) how to bring data of your own, [augmentation.md](augmentation.md) how to augment a train
split.

A picture shows one sample of train: of vectors the standardised numbers, of sequences their features over time (many
of them as rows, standardised), of videos three frames; of the photographs of houses the mean over all houses.
"""


def page() -> str:
    """The whole page."""
    cards = [card for card in installed().datasets.values() if card.build.startswith("mmbench.data.")]
    real = [card for card in cards if card.collections]
    embedded = [card for card in cards if not card.collections]
    lines = [INTRODUCTION, *_overview(cards)]
    lines += ["## Real datasets", "", "From files that `mmbench data fetch` gets.", ""]
    lines += [line for card in real for line in _section(card)]
    lines += ["## Embedded datasets", "", "Generated, or from scikit-learn's own files: nothing is downloaded.", ""]
    lines += [line for card in embedded for line in _section(card)]
    return "\n".join(lines).rstrip() + "\n"


def _overview(cards: list[DatasetCard]) -> list[str]:
    rows = [
        f"| [{card.name}](#{card.name}) | {_task(card)} | {', '.join(m.kind for m in card.task.modalities)} | "
        f"{' / '.join(f'{n:,}' for n in card.sizes)} | {card.group or '–'} | {_minutes(card)} |"
        for card in cards
    ]
    head = "| dataset | task | modalities | train / validation / test | group | core-minutes a method |"
    note = (
        "Group: samples that share it depend on one another; splits never cut through it but where a finding says so, "
        "and intervals resample it. Core-minutes: of one core, for all five seeds of the `standard` protocol, the "
        "median over the neural methods of the committed leaderboards."
    )
    return [head, "| --- | --- | --- | --- | --- | --- |", *rows, "", note, ""]


def _section(card: DatasetCard) -> list[str]:
    stop = "" if card.summary.endswith("?") else "."
    lines = [f"### {card.name}", "", f"{card.summary[:1].upper()}{card.summary[1:]}{stop}", ""]
    if (PICTURES / f"{card.name}.png").exists():
        lines += [f"![a sample of {card.name}](pictures/{card.name}.png)", ""]
    facts = {
        "task": f"{_task(card)}; metric {card.task.score.title} {card.task.score.arrow}",
        "modalities": "; ".join(map(_modality, card.task.modalities)),
        "rows": f"{card.sizes[0]:,} train, {card.sizes[1]:,} validation, {card.sizes[2]:,} test",
        "group": card.group,
        "ceiling": "" if card.ceiling is None else f"{card.task.score.title} {card.ceiling:.5f}",
        "training": ", ".join(f"{name} {value}" for name, value in card.training.items()),
        "quick": _quick(card),
        "cost": _cost(card),
        "files": ", ".join(f"`{name}`" for name in card.collections),
        "licence": card.licence,
        "source": card.source,
        "cite": card.citation,
        "fingerprint": f"`{card.content[:16]}…`" if card.content else "",
    }
    lines += [f"- **{name}**: {text}" for name, text in facts.items() if text]
    if card.notes:
        lines += ["", card.notes]
    if card.findings:
        lines += ["", "`mmbench data check` finds:", "", *(f"- {sentence}" for sentence in card.findings)]
    return [*lines, ""]


def _task(card: DatasetCard) -> str:
    task = card.task
    return f"{task.kind} {task.outputs}" if task.kind in ("classification", "multilabel") else task.kind


def _modality(modality: Modality) -> str:
    shape = "×".join(map(str, modality.shape))
    rate = f", {modality.rate:g} a second" if modality.rate != 1 else ""
    words = f", {modality.vocabulary:,} ids" if modality.vocabulary else ""
    return f"{modality.name} ({modality.kind} {shape}{rate}{words})"


def _quick(card: DatasetCard) -> str:
    change = card.protocols.get("quick")
    if not change:
        return ""
    return f"left out: {change}" if isinstance(change, str) else ", ".join(f"{k}={v}" for k, v in change.items())


def _minutes(card: DatasetCard) -> str:
    return "–" if card.minutes is None else f"{card.minutes:.1f}"


def _cost(card: DatasetCard) -> str:
    if card.minutes is None:
        return ""
    epochs = card.training.get("epochs", "until validation stops improving, at most 100")
    return f"{card.sizes[0]:,} samples an epoch, epochs: {epochs}; {card.minutes:.1f} core-minutes a method"


if __name__ == "__main__":
    if "--pictures" in sys.argv:
        from pictures import draw_all

        draw_all(PICTURES)
    PAGE.write_text(page(), encoding="utf-8")
