"""The sentences of the check. Cards repeat them word for word, so that a change of their words is one of the format."""

from mmbench.data.check.findings import TARGET_WORD, Findings, Repeats

VARIATION = 0.05  # total variation distance of train and test below which nothing is said
PIXELS = 0.5  # share of constant places of a picture below which nothing is said
CHANCE = 0.001  # and probability of it by chance above which nothing is said


def leaks(found: Findings) -> tuple[str, ...]:
    """What a split shares with another one."""
    said = [_repeats(found, each) for each in found.repeats if each.of != each.to and _new(found, each)]
    for near in found.near:
        if near.rows:
            agreement = _agreement(found.kind, near.rows, near.agreeing)
            said.append(f"{_rows(near.rows, near.of)} nearly equal to a row of {near.to}{agreement}")
    for runs in found.runs:
        if runs.rows and runs.of != runs.to:
            said.append(
                f"{_rows(runs.rows, runs.of, 'has', 'have')} a run of {runs.frames} frames that a row of {runs.to} has "
                f"too in modality '{runs.modality}'"
            )
    if found.groups:
        for pair, shared in found.groups.shared.items():
            to, _, of = pair.partition("/")
            if shared:
                count, rows = found.groups.count[of], found.groups.rows[pair]
                said.append(
                    f"{shared} of {count} {_plural(count, 'group')} of {of} {_plural(shared, 'stands', 'stand')} in "
                    f"{to} too, with {rows} {_plural(rows, 'row')} of {of}"
                )
    return tuple(said)


def others(found: Findings) -> tuple[str, ...]:
    """What else a reader of scores should know."""
    said = [_repeats(found, each) for each in found.repeats if each.of == each.to and _new(found, each)]
    for runs in found.runs:
        if runs.rows and runs.of == runs.to:
            said.append(
                f"{_rows(runs.rows, runs.of, 'shares', 'share')} a run of {runs.frames} frames with another row of "
                f"{runs.to} in modality '{runs.modality}'"
            )
    return (*said, *_of_modalities(found), *_of_targets(found))


def _of_modalities(found: Findings) -> list[str]:
    said = []
    for column in found.columns:
        if column.share >= PIXELS if column.pixels else column.constant:
            said.append(
                f"{column.constant} of {column.count} {_plural(column.count, 'feature')} of modality "
                f"'{column.modality}' {_plural(column.constant, 'is', 'are')} constant in train"
            )
    for split, rows in found.empty.items():
        if rows:
            said.append(f"{_rows(rows, split, 'lacks', 'lack')} every modality")
    seen = {each.modality for each in found.presence if each.split == "train" and each.absent}
    for each in found.presence:
        if each.blank:
            said.append(
                f"{_rows(each.blank, each.split, 'has', 'have')} one number throughout modality '{each.modality}'"
            )
        if each.split == "test" and each.absent and each.modality not in seen:
            said.append(f"modality '{each.modality}' is absent in rows of test, and in none of train")
    return said


def _of_targets(found: Findings) -> list[str]:
    targets = found.targets
    if targets is None:
        return []
    said = []
    for split, counts in targets.classes.items():
        absent = [str(number) for number, count in enumerate(counts) if not count]
        if absent:
            said.append(
                f"{_plural(len(absent), 'class', 'classes')} {', '.join(absent)} {_plural(len(absent), 'has', 'have')} "
                f"no row in {split}"
            )
    for split, shares in targets.positives.items():
        for number, share in enumerate(shares):
            if share in (0, 1):
                said.append(f"label {number} is {share:.0f} in every row of {split}")
    if (targets.variation or 0) > VARIATION and (targets.chance or 0) < CHANCE:
        what = "class frequencies" if targets.classes else "frequencies of a label"
        said.append(f"{what} of train and test differ by {targets.variation:.2f} (total variation distance)")
    return said


def _repeats(found: Findings, each: Repeats) -> str:
    where = f"modality '{each.modality}'" if each.modality else "every modality"
    agreement = _agreement(found.kind, each.rows, each.agreeing)
    other = "an earlier row of" if each.of == each.to else "a row of"
    return f"{_rows(each.rows, each.of)} equal to {other} {each.to} in {where}{agreement}"


def _new(found: Findings, each: Repeats) -> bool:
    """Whether it says more than that the same rows are equal in every modality."""
    every = next(one.rows for one in found.repeats if (one.of, one.to, one.modality) == (each.of, each.to, ""))
    return each.rows > (every if each.modality else 0)


def _agreement(kind: str, rows: int, agreeing: int | None) -> str:
    if agreeing is None:
        return ""
    word = TARGET_WORD.get(kind, "labels")
    verb = ("agrees", "differs") if word != "labels" else ("agree", "differ")
    if agreeing in (0, rows):
        return f" ({word} {verb[0] if agreeing else verb[1]})"
    return f" ({word} {verb[0]} in {agreeing})"


def _rows(count: int, split: str, one: str = "is", more: str = "are") -> str:
    return f"{count} {_plural(count, 'row')} of {split} {_plural(count, one, more)}"


def _plural(count: int, one: str, more: str = "") -> str:
    return one if count == 1 else more or f"{one}s"
