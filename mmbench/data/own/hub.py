"""Datasets of the Hugging Face Hub, and folders laid out like one: the builder. No code of theirs is run."""

import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import datasets
from huggingface_hub import constants

from mmbench.core.errors import MmbenchError, did_you_mean
from mmbench.core.spec import is_path
from mmbench.data.own.build import assemble
from mmbench.data.own.card import OwnCard, read_card
from mmbench.data.own.cells import ArrowColumn
from mmbench.data.own.inside import read_in
from mmbench.data.own.stamp import stamp as stamp_files
from mmbench.data.own.stamp import walk
from mmbench.data.own.tables import Table, checked
from mmbench.data.source import Source


class SoundFile(datasets.Audio):  # type: ignore[misc]  # datasets has no types
    """The files of a folder of sounds as they are: the library's own asks for torchcodec even for that."""

    def encode_example(self, value: str | dict[str, Any]) -> dict[str, Any]:
        return value if isinstance(value, dict) else {"bytes": None, "path": str(value)}


def build(
    *, config: str = "", revision: str = "", origin: str = "", card: str = "", commit: str = "", stamp: str = ""
) -> Source:
    """A dataset of the Hub, as a card file describes it.

    Args:
        config: of the dataset, where it has several.
        revision: as the user named it; ``commit`` is what it stands for.
        origin: ``ORGANISATION/NAME``, or the full path of a folder.
        card: path of the card file.
        commit: of the dataset.
        stamp: of the card and a folder's files.

    Raises:
        MmbenchError: if it cannot be loaded, or is not what its card says.
    """
    own = read_card(Path(card), on_hub=True)
    local = is_path(origin)
    with ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory()) if local else None
        loaded = _load(origin, config, commit, place)
        fetched = [Path(constants.HF_HUB_CACHE), Path(datasets.config.HF_DATASETS_CACHE)]
        roots = [Path(origin)] if local else fetched  # a cell may name no other file
        tables = {
            name: _table(own, loaded, origin, parts[0] if len(parts) == 1 else _refuse_several(own, parts))
            for name, parts in own.splitting.tables.items()
        }
        source = assemble(own, tables, lambda name, what: read_in(roots, name, what))
    files = set(walk(Path(origin))) if local else set()
    if stamp_files(own.content, Path(origin) if local else Path(), files) != stamp:
        raise MmbenchError(f"{origin} or its card changed while it was read; run the same command again")
    return source


def _load(origin: str, config: str, commit: str, cache: str | None) -> datasets.DatasetDict:
    """All splits. A folder's are laid down in ``cache``, which goes again: mmbench keeps its own."""
    datasets.disable_progress_bars()
    try:
        builder = datasets.load_dataset_builder(origin, name=config or None, revision=commit or None, cache_dir=cache)
        if getattr(builder, "BASE_FEATURE", None) is datasets.Audio:
            builder.BASE_FEATURE = SoundFile
        if not commit or builder.hash == commit:
            builder.download_and_prepare()
            loaded = builder.as_dataset()
    except Exception as error:  # whatever reading foreign files ran into
        cause = error.__cause__ or error
        raise MmbenchError(f"hf:{origin} cannot be loaded: {type(cause).__name__}: {cause}") from error
    if commit and builder.hash != commit:  # without a network the library gives whatever it fetched last
        raise MmbenchError(
            f"hf:{origin}: commit {commit} was asked for, and the library gives {builder.hash}; "
            "without a network it has none but what it loaded last"
        )
    if not isinstance(loaded, datasets.DatasetDict):
        raise MmbenchError(f"hf:{origin} has no splits")
    return loaded


def _refuse_several(own: OwnCard, parts: Iterable[str]) -> str:
    raise MmbenchError(
        f"{own.path}, [split]: {' and '.join(parts)} cannot stand side by side; name one split of the Hub"
    )


def _table(own: OwnCard, loaded: Mapping[str, Any], origin: str, part: str) -> Table:
    """The columns of a split that the card names, images and sounds as the bytes of their files."""
    where = f"hf:{Path(origin).name if is_path(origin) else origin}, {part}"
    if part not in loaded:
        raise MmbenchError(
            f"{own.path}, [split]: there is no split {part!r} in hf:{origin}; {did_you_mean(part, loaded)}"
        )
    split = loaded[part]
    wanted = [column for column in own.columns if column in split.column_names]
    for column in wanted:
        feature = split.features[column]
        if isinstance(feature, datasets.Image):
            split = split.cast_column(column, datasets.Image(decode=False))
        if isinstance(feature, datasets.Audio):
            split = split.cast_column(column, datasets.Audio(decode=False))
        if isinstance(feature, datasets.ClassLabel) and column in own.target:
            _check_classes(own, feature.names, where)
    arrow = split.select_columns(wanted).with_format("arrow")[:]
    columns = {column: ArrowColumn(arrow.column(column)) for column in wanted}
    return checked(where, columns, split.column_names, own.columns, {})


def _check_classes(own: OwnCard, names: list[str], where: str) -> None:
    """The column holds numbers: names in another order would mean other classes."""
    if own.classes and tuple(names) != own.classes:
        raise MmbenchError(f"{own.path}, [task]: classes are {list(own.classes)}, and in {where} they are {names}")
    if not own.classes and len(names) > own.outputs:
        raise MmbenchError(
            f"{own.path}, [task]: outputs is {own.outputs}, and {where} has {len(names)} classes: {names}"
        )
