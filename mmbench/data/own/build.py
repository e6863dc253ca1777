"""From a card file and its tables to a ``Source``: the builder of data of one's own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import datasets
import numpy as np
from numpy.typing import NDArray

from mmbench.core.errors import MmbenchError
from mmbench.core.modality import Modality
from mmbench.data.own.card import OwnCard, read_card
from mmbench.data.own.columns import (
    Cells,
    Open,
    Reader,
    Words,
    common_shape,
    present_cells,
    stacked,
    stored_type,
    word_ids,
)
from mmbench.data.own.inside import inside
from mmbench.data.own.modality import OwnModality
from mmbench.data.own.split import Known, Part, split
from mmbench.data.own.stamp import stamp_of
from mmbench.data.own.tables import Table, read_table
from mmbench.data.own.targets import codes, targets, texts
from mmbench.data.own.words import vocabulary
from mmbench.data.source import Source
from mmbench.data.source import table as stored

Array = NDArray[Any]


def build(*, card: str = "", stamp: str = "") -> Source:
    """Data of one's own.

    Args:
        card: path of the card file.
        stamp: of the files when the card was read.

    Raises:
        MmbenchError: for whatever is wrong with the card or the data, with its place; or if they
            changed while they were read.
    """
    own = read_card(Path(card))
    folder = own.folder

    def opened(name: str, what: str) -> bytes:
        return inside(folder, name, what).read_bytes()

    tables = {name: read_table(folder, files, own.columns) for name, files in own.splitting.tables.items()}
    source = assemble(own, tables, opened)
    if stamp_of(own) != stamp:
        raise MmbenchError(f"{folder} changed while it was read; run the same command again")
    return source


def assemble(own: OwnCard, tables: Mapping[str, Table], opened: Open) -> Source:
    """The splits of tables that the card describes.

    Args:
        own: the card.
        tables: by the names of ``Splitting.tables``.
        opened: opens a file that a cell names.

    Raises:
        MmbenchError: with the table, the column, the row and what is wrong.
    """
    for modality in own.modalities:
        _check_encoder(modality)
    others = {name: _others(own, table) for name, table in tables.items()}
    known = {name: _known(own, table, others[name]) for name, table in tables.items()}
    parts = split(own.splitting, tables, known)
    _code_groups(own, known, others)
    present: dict[str, list[Array]] = {name: [] for name in tables}
    modalities = []
    for modality in own.modalities:
        made, columns, here = _modality(modality, tables, parts["train"], opened)
        modalities.append(made)
        for name in tables:
            others[name].update(columns[name])
            present[name].append(here[name])
    _add_present(tables, parts, present, others)
    task = own.task(tuple(modalities))
    splits = {
        name: stored(task, {key: column[part.rows] for key, column in others[part.table].items()})
        for name, part in parts.items()
    }
    return Source(task, datasets.DatasetDict(splits))


def _others(own: OwnCard, table: Table) -> dict[str, Array]:
    return {"target": targets(own, table)} if own.target else {}


def _known(own: OwnCard, table: Table, others: Mapping[str, Array]) -> Known:
    return Known(
        group=texts(table, own.group, "group") if own.group else None,
        id=texts(table, own.id, "id") if own.id else None,
        stratum=others["target"].tolist() if own.kind == "classification" else (),
    )


def _code_groups(own: OwnCard, known: Mapping[str, Known], others: Mapping[str, dict[str, Array]]) -> None:
    if own.group:
        groups = codes([list(each.group or ()) for each in known.values()])
        for name, group in zip(known, groups, strict=True):
            others[name]["group"] = group


Columns = dict[str, dict[str, Array]]


def _modality(
    modality: OwnModality, tables: Mapping[str, Table], train: Part, opened: Open
) -> tuple[Modality, Columns, dict[str, Array]]:
    """A modality with its true shape, its columns by table, and where it is present."""
    reader = Reader(modality, opened)
    read = {name: reader.read(table) for name, table in tables.items()}
    ids = modality.vocabulary
    if reader.has_words:
        words = cast(dict[str, Words], read)
        known = vocabulary((words[train.table][row] or () for row in train.rows.tolist()), ids)
        ids = len(known) + 2
        cells = {name: word_ids(column, known) for name, column in words.items()}
    else:
        cells = cast(dict[str, Cells], read)
    shape = common_shape(modality, list(tables.values()), list(cells.values()))
    dtype = stored_type(modality, list(cells.values()))
    columns: Columns = {}
    for name, table in tables.items():
        values, lengths = stacked(modality, table, cells[name], shape, dtype)
        columns[name] = {modality.name: values, **({f"{modality.name}:length": lengths} if modality.timed else {})}
    frames = 1 / modality.sound.hop if modality.file and modality.timed else 1.0
    made = Modality(modality.name, modality.kind, shape, ids, modality.rate or frames, modality.encoder)
    return made, columns, {name: present_cells(column) for name, column in cells.items()}


def _add_present(
    tables: Mapping[str, Table], parts: Mapping[str, Part], present: Mapping[str, list[Array]], others: Columns
) -> None:
    """The mask, where a sample of any split lacks a modality.

    Raises:
        MmbenchError: for a sample without any.
    """
    masks = {name: np.stack(columns, axis=1) for name, columns in present.items()}
    for part in parts.values():
        empty = part.rows[~masks[part.table][part.rows].any(1)]
        if len(empty):
            count = f"{len(empty)} row{'s' * (len(empty) != 1)}"
            raise MmbenchError(
                f"{tables[part.table].name}, row {empty[0]}: the sample has no modality at all ({count}); remove it"
            )
    if not all(mask.all() for mask in masks.values()):
        for name, mask in masks.items():
            others[name]["present"] = mask


def _check_encoder(modality: OwnModality) -> None:
    if modality.encoder:
        from mmbench.nn.encoders import make_encoder

        make_encoder(modality.expected(), 8)  # raises for a name that its kind does not have
