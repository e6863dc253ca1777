"""How a card file says which rows are train, validation and test. Light."""

from dataclasses import dataclass, field

from mmbench.data.columns import SPLITS
from mmbench.data.own.section import Section

KEYS = ("table", "column", *SPLITS, "seed")


@dataclass(frozen=True)
class Splitting:
    """Where the rows of each split come from.

    Attributes:
        tables: {name: its files, side by side}: one table for each split that has one, or ``table``.
        column: of a single table, that says which split a row is in; empty if none does.
        words: {split: what stands for it in that column}.
        fractions: {split: share of the rows of the single table, or of train's, drawn for it}.
        seed: of that draw.
    """

    tables: dict[str, tuple[str, ...]]
    column: str = ""
    words: dict[str, str] = field(default_factory=dict)
    fractions: dict[str, float] = field(default_factory=dict)
    seed: int = 0

    @property
    def files(self) -> tuple[str, ...]:
        """All files, once each."""
        return tuple(dict.fromkeys(file for files in self.tables.values() for file in files))


def read_splitting(section: Section, on_hub: bool) -> Splitting:
    """Read the section ``[split]``; a dataset of the Hub may go without.

    Raises:
        MmbenchError: for what is missing, unknown or contradicts itself.
    """
    section.only(KEYS)
    seed = section.whole("seed", 0, least=0)
    if "column" in section:
        if "table" not in section:
            raise section.error("column says which split a row is in: write table = … as well")
        words = {split: section.text(split, split) for split in SPLITS}
        if len(set(words.values())) < len(words):
            raise section.error("two splits have the same word in the column")
        return Splitting({"table": section.texts("table")}, section.text("column"), words)
    if "table" in section:
        if "train" in section:
            raise section.error("table and train are both given; train is what validation and test leave of the table")
        fractions = {split: _fraction(section, split) for split in SPLITS[1:]}
        _check_sum(section, fractions)
        return Splitting({"table": section.texts("table")}, fractions=fractions, seed=seed)
    if not section.values and not on_hub:
        raise section.error("it is missing: say train, validation and test = files, or a table and how to split it")
    tables, fractions = {}, {}
    for split in SPLITS:
        if split != "train" and isinstance(section.values.get(split), int | float):
            fractions[split] = _fraction(section, split)
        else:
            tables[split] = section.texts(split, (split,) if on_hub else None)
    _check_sum(section, fractions)
    _check_apart(section, tables)
    return Splitting(tables, fractions=fractions, seed=seed)


def _fraction(section: Section, split: str) -> float:
    value = section.number(split)
    if value >= 1:
        raise section.error(f"{split} is a share between 0 and 1, not {value:g}")
    return value


def _check_sum(section: Section, fractions: dict[str, float]) -> None:
    if sum(fractions.values()) >= 1:
        raise section.error(f"{' and '.join(fractions)} take all rows; leave some for train")


def _check_apart(section: Section, tables: dict[str, tuple[str, ...]]) -> None:
    owner: dict[str, str] = {}
    for split, files in tables.items():
        for file in files:
            if file in owner:
                raise section.error(f"{file!r} is both {owner[file]} and {split}")
            owner[file] = split
