"""The check of a dataset that the cache holds."""

from dataclasses import replace

from mmbench.core.cards import DatasetCard
from mmbench.data.cache import Prepared
from mmbench.data.check import sentences
from mmbench.data.check.findings import Findings
from mmbench.data.columns import SPLITS


def look_into(prepared: Prepared) -> Findings:
    """Look for leaks, and for what a reader of scores should know.

    The same dataset always gives the same findings. It is read in blocks; what is held of each row is
    some tens of numbers.
    """
    import datasets

    from mmbench.data.check.equal import keys_of, repeats
    from mmbench.data.check.features import columns, features
    from mmbench.data.check.near import near, projected
    from mmbench.data.check.rows import read_targets
    from mmbench.data.check.runs import shared_runs
    from mmbench.data.check.targets import describe_groups, describe_presence, describe_targets

    task = prepared.task
    stored = datasets.load_from_disk(str(prepared.folder / "splits"))
    splits = {name: stored[name] for name in SPLITS}
    keys = {name: keys_of(task, split) for name, split in splits.items()}
    targets = {name: read_targets(split) for name, split in splits.items()}
    fitted = features(task, splits["train"])
    parts = {name: projected(task, split, fitted) for name, split in splits.items()}
    found = Findings(
        kind=task.kind,
        fingerprint=prepared.fingerprint,
        rows={name: len(split) for name, split in splits.items()},
        empty={name: int((~kept.present.any(1)).sum()) for name, kept in keys.items()},
        repeats=repeats(task, keys, targets),
        near=near(parts, keys, targets),
        runs=shared_runs(task, splits, keys),
        groups=describe_groups(splits),
        columns=columns(task, fitted),
        targets=describe_targets(task, targets),
        presence=describe_presence(task, keys),
    )
    leaks = sentences.leaks(found)
    return replace(found, leaks=leaks, warnings=(*leaks, *sentences.others(found)))


def not_on_card(card: DatasetCard, said: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the sentences that a card does not state, word for word."""
    return tuple(sentence for sentence in said if sentence not in card.findings)


def not_found(card: DatasetCard, found: Findings) -> tuple[str, ...]:
    """What a card states and the check does not find."""
    return tuple(sentence for sentence in card.findings if sentence not in found.warnings)
