"""The card file: what a person says of their own data, in TOML. ``docs/own-data.md`` explains it. Light."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from mmbench.core.errors import MmbenchError, did_you_mean
from mmbench.core.modality import Modality
from mmbench.core.task import TASK_KINDS, Task, TaskKind
from mmbench.data.own.modality import OwnModality, read_modality
from mmbench.data.own.section import Section
from mmbench.data.own.splitting import Splitting, read_splitting

FILE = "mmbench.toml"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
STATEMENTS = ("licence", "citation", "source", "notes")
KEYS = ("name", "summary", "target", "group", "id", *STATEMENTS, "findings", "task", "modalities", "split")
TASK_KEYS = ("kind", "outputs", "classes", "metric")
OUTPUTS: dict[TaskKind, int] = {"verification": 1, "anomaly": 1, "retrieval": 0}  # where the kind says how many


@dataclass(frozen=True)
class OwnCard:
    """A card file that was read and makes sense in itself.

    Attributes:
        path, content: of the file.
        name, summary: of the dataset.
        kind, outputs, metric: of its task.
        classes: names of the classes or labels, where they have some.
        modalities: in the order of the file.
        target: columns of the target; none in retrieval.
        group, id: columns, or empty.
        splitting: where the rows of each split come from.
        statements: licence, citation, source and notes.
        findings: sentences of ``mmbench data check`` that are known and accepted.
    """

    path: Path
    content: bytes
    name: str
    summary: str
    kind: TaskKind
    outputs: int
    metric: str
    classes: tuple[str, ...]
    modalities: tuple[OwnModality, ...]
    target: tuple[str, ...]
    group: str
    id: str
    splitting: Splitting
    statements: dict[str, str]
    findings: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read, in the order of the card."""
        found = [column for modality in self.modalities for column in modality.read]
        others = (*self.target, self.group, self.id, self.splitting.column)
        return tuple(dict.fromkeys([*found, *(column for column in others if column)]))

    @property
    def texts(self) -> tuple[str, ...]:
        """Columns that are text, whatever stands in them."""
        return tuple(column for column in (self.group, self.id, self.splitting.column) if column)

    def task(self, modalities: tuple[Modality, ...] | None = None) -> Task:
        """The task with these modalities; without them as far as the card alone says it."""
        return Task(self.kind, self.outputs, modalities or tuple(m.expected() for m in self.modalities), self.metric)


def read_card(path: Path, on_hub: bool = False) -> OwnCard:
    """Read and check a card file.

    Args:
        path: of the file.
        on_hub: whether splits are those of a dataset of the Hub rather than files.

    Raises:
        MmbenchError: with the file, the section or line, and what to do.
    """
    try:
        content = path.read_bytes()
        values = tomllib.loads(content.decode())
    except FileNotFoundError:
        raise MmbenchError(
            f"there is no file {path}; `mmbench data init {path.parent}` writes one to fill in"
        ) from None
    except OSError as error:
        raise MmbenchError(f"{path} cannot be read: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MmbenchError(f"{path} is no valid TOML: {error}") from None
    top = Section(values, str(path))
    top.only(KEYS, dict.fromkeys(TASK_KEYS, "stands in the section [task]"))
    name = top.text("name")
    if not NAME.fullmatch(name):
        raise top.error(f"name {name!r}: use letters, digits and '_.-' alone, the first a letter or digit")
    target = top.texts("target", ())
    kind, outputs, metric, classes = _read_task(top.section("task"), len(target))
    if bool(target) == (kind == "retrieval"):
        raise top.error("retrieval has no target; remove it" if target else "target is missing: the column to predict")
    card = OwnCard(
        path=path,
        content=content,
        name=name,
        summary=top.text("summary", ""),
        kind=kind,
        outputs=outputs,
        metric=metric,
        classes=classes,
        modalities=_read_modalities(top),
        target=target,
        group=top.text("group", ""),
        id=top.text("id", ""),
        splitting=read_splitting(top.section("split"), on_hub),
        statements={key: top.text(key, "") for key in STATEMENTS},
        findings=top.texts("findings", ()),
    )
    _check(card, top)
    return card


def _read_modalities(top: Section) -> tuple[OwnModality, ...]:
    section = top.section("modalities")
    if not section.values:
        raise top.error("there is no modality; write a section [modalities.NAME] for each")
    return tuple(
        read_modality(name, Section(values, f"{top.where}, [modalities.{name}]"))
        for name, values in section.values.items()
    )


def _read_task(section: Section, targets: int) -> tuple[TaskKind, int, str, tuple[str, ...]]:
    """Kind, outputs, metric and names of classes."""
    section.only(TASK_KEYS)
    kind = section.text("kind")
    if kind not in TASK_KINDS:
        raise section.error(f"kind {kind!r} is unknown; {did_you_mean(kind, TASK_KINDS)}")
    classes = section.texts("classes", ())
    if classes and kind not in ("classification", "multilabel"):
        raise section.error(f"classes go with classification and multilabel, not with {kind}")
    outputs = section.whole("outputs", 0)
    if classes and outputs not in (0, len(classes)):
        raise section.error(f"outputs is {outputs}, and there are {len(classes)} classes; leave outputs out")
    known = len(classes) or OUTPUTS.get(kind, 0)
    if not known and kind in ("multilabel", "regression"):
        known = outputs or targets
        if targets > 1 and outputs not in (0, targets):
            raise section.error(f"outputs is {outputs}, and there are {targets} target columns; leave outputs out")
    if not known and kind == "classification" and not outputs:
        raise section.error('say which classes there are: classes = ["cat", "dog"], or outputs = 2 for 0 and 1')
    return kind, known or outputs, section.text("metric", ""), classes


def _check(card: OwnCard, top: Section) -> None:
    """What concerns several sections."""
    several = len(card.target)
    if several > 1 and (card.kind not in ("multilabel", "regression") or several != card.outputs):
        raise top.error(f"target has {several} columns, and {card.kind} has {card.outputs} outputs")
    try:
        card.task()
    except MmbenchError as error:
        raise top.error(str(error)) from None
