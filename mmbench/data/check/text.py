"""Findings for reading in a terminal. Light."""

from mmbench.data.check.findings import Findings

CLASSES_SHOWN = 12


def as_text(name: str, found: Findings, new: tuple[str, ...], gone: tuple[str, ...]) -> str:
    """All that was found of a dataset.

    Args:
        name: of the dataset.
        found: by the check.
        new: warnings that its card does not state.
        gone: sentences of its card that the check does not find.
    """
    lines = [f"{name}  ({', '.join(f'{rows} {split}' for split, rows in found.rows.items())})"]
    if not found.warnings:
        lines.append("  nothing to warn of")
    for sentence in found.warnings:
        kind = "leak" if sentence in found.leaks else "note"
        lines.append(f"  {kind}: {sentence}{'  [not on the card]' if sentence in new else ''}")
    lines += [f"  on the card, but not found: {sentence}" for sentence in gone]
    lines += [f"  {what:<12} {said}" for what, said in _details(found)]
    return "\n".join(lines)


def _details(found: Findings) -> list[tuple[str, str]]:
    details = []  # equal rows and shared runs have been told; --json counts them for every modality
    looked = [f"{each.rows} of {each.of} in {each.to} (below {each.nearness:.2%})" for each in found.near]
    details.append(("near", f"{', '.join(looked)}; {found.near[0].dimension:.1f} dimensions in train"))
    if found.groups:
        details.append(("groups", ", ".join(f"{count} {split}" for split, count in found.groups.count.items())))
    details += _targets(found)
    for column in (each for each in found.columns if each.constant or each.nearly):
        said = f"{column.modality}: {column.constant} of {column.count} ({column.share:.1%}), nearly {column.nearly}"
        details.append(("constant", said))
    for each in found.presence:
        if each.absent:
            details.append(("absent", f"{each.modality}: {each.absent:.1%} of {each.split}"))
        if each.lengths and each.lengths[0] < each.lengths[2]:
            low, middle, high = each.lengths
            details.append(("lengths", f"{each.modality}: {low} / {middle:g} / {high} in {each.split}"))
    return details


def _targets(found: Findings) -> list[tuple[str, str]]:
    targets = found.targets
    if targets is None:
        return []
    details = []
    for split, counts in targets.classes.items():
        shown = " ".join(map(str, counts[:CLASSES_SHOWN])) + (" …" if len(counts) > CLASSES_SHOWN else "")
        details.append(("classes", f"{shown} in {split}"))
    for split, shares in targets.positives.items():
        details.append(("positives", f"{' '.join(f'{share:.3f}' for share in shares[:CLASSES_SHOWN])} in {split}"))
    for split, levels in targets.quantiles.items():
        for output in levels[:CLASSES_SHOWN]:
            details.append(("quantiles", f"{' / '.join(f'{level:.4g}' for level in output)} in {split}"))
    if targets.variation is not None and targets.chance is not None:
        said = f"{targets.variation:.3f} total variation between train and test (p = {targets.chance:.2g})"
        details.append(("difference", said))
    return details
