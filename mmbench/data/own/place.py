"""From what a person types after ``-d`` to a card: a folder, a card file, or ``hf:…``. Light."""

import re
from pathlib import Path

from mmbench.core.cards import DatasetCard
from mmbench.core.errors import MmbenchError, did_you_mean
from mmbench.core.spec import HUB, Spec, is_path
from mmbench.data.own.card import FILE, OwnCard, read_card
from mmbench.data.own.stamp import stamp, stamp_of, walk

REPOSITORY = re.compile(r"[\w.-]+(/[\w.-]+)?")
BUILD, BUILD_HUB = "mmbench.data.own.build:build", "mmbench.data.own.hub:build"
BRACKETS = ("card", "revision", "config")


def dataset_at(spec: Spec) -> tuple[DatasetCard, dict[str, object]]:
    """The card of a dataset that lies somewhere, and the parameters that were given.

    Raises:
        MmbenchError: if there is none, or its card file is wrong.
    """
    if spec.name.startswith(HUB):
        return _on_hub(spec)
    if spec.parameters:
        raise MmbenchError(f"{spec}: data of your own take no parameters; what they are stands in {FILE}")
    path = _absolute(spec.name)
    if path.suffix != ".toml":
        if not path.is_dir():
            raise MmbenchError(f"there is no folder {spec.name}; `mmbench data init {spec.name}` begins one")
        path = path / FILE
    own = read_card(path)
    preset = {"card": str(path), "stamp": stamp_of(own)}
    return _card(own, BUILD, preset), {}


def _on_hub(spec: Spec) -> tuple[DatasetCard, dict[str, object]]:
    for key in spec.parameters:
        if key not in BRACKETS:
            raise MmbenchError(f"{spec}: there is no parameter {key!r}; {did_you_mean(key, BRACKETS)}")
    origin = spec.name.removeprefix(HUB)
    card = _absolute(spec.parameters["card"]) if "card" in spec.parameters else None
    found = _laid_out_like_one(spec, origin, card) if is_path(origin) else _in_repository(spec, origin, card)
    return found, {key: spec.parameters[key] for key in ("config", "revision") if key in spec.parameters}


def _laid_out_like_one(spec: Spec, origin: str, card: Path | None) -> DatasetCard:
    """The card of a folder on this machine."""
    if "revision" in spec.parameters:
        raise MmbenchError(f"{spec}: a folder has no revisions")
    folder = _absolute(origin)
    if not folder.is_dir():
        raise MmbenchError(f"{spec}: there is no folder {origin}")
    own = read_card(card or folder / FILE, on_hub=True)
    preset = {"origin": str(folder), "card": str(own.path), "stamp": stamp(own.content, folder, set(walk(folder)))}
    return _card(own, BUILD_HUB, preset)


def _in_repository(spec: Spec, origin: str, card: Path | None) -> DatasetCard:
    """The card of a dataset of the Hub; its version is the commit, which stands in every result."""
    if not REPOSITORY.fullmatch(origin):
        raise MmbenchError(f"{spec}: write hf:ORGANISATION/NAME, or hf:./FOLDER for a folder on this machine")
    from mmbench.data.own import remote

    commit = remote.commit(origin, spec.parameters.get("revision", ""))
    own = read_card(card or remote.card_file(origin, commit), on_hub=True)
    for modality in own.modalities:
        if modality.file:
            where = f"{own.path}, [modalities.{modality.name}]"
            raise MmbenchError(f"{where}: on the Hub images and sounds are columns: write column in place of file")
    preset = {"origin": origin, "card": str(own.path), "commit": commit, "stamp": stamp(own.content, Path(), set())}
    return _card(own, BUILD_HUB, preset, f"https://huggingface.co/datasets/{origin}", commit)


def _card(own: OwnCard, build: str, preset: dict[str, str], source: str = "", version: str = "1") -> DatasetCard:
    return DatasetCard(
        name=own.name,
        summary=own.summary,
        build=build,
        task=own.task(),
        preset=preset,
        group=own.group,
        version=version,
        licence=own.statements["licence"],
        citation=own.statements["citation"],
        source=own.statements["source"] or source,
        notes=own.statements["notes"],
        findings=own.findings,
    )


def _absolute(name: str) -> Path:
    try:
        return Path(name).expanduser().absolute()
    except RuntimeError:  # of a user who is not there
        raise MmbenchError(f"{name}: there is no such home folder") from None
