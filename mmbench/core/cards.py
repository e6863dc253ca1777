"""Cards: what the harness knows of a plugin's things without importing their code."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mmbench.core.errors import MmbenchError, did_you_mean
from mmbench.core.modality import KINDS, Kind
from mmbench.core.scores import Score
from mmbench.core.spec import NAME
from mmbench.core.task import TASK_KINDS, Task, TaskKind

ROLES = ("method", "floor", "ceiling")


def _check(kind: str, name: str, build: str) -> None:
    if not NAME.fullmatch(name):
        raise MmbenchError(f"{kind} name {name!r}: use letters, digits and '_.:/-' alone, the first a letter or digit")
    module, colon, attribute = build.partition(":")
    if not (module and colon and attribute):
        raise MmbenchError(f"{kind} {name!r}: build is 'package.module:callable', not {build!r}")


@dataclass(frozen=True)
class MethodCard:
    """A fusion method: what a plugin offers.

    Args:
        name: how users name it; one method has one name.
        summary: one line for ``mmbench list methods``.
        build: ``"package.module:callable"`` of ``callable(task, *, …)``, which returns a
            ``FusionModel`` or an ``Estimator``. Its keyword-only arguments are the
            hyper-parameters.
        preset: values of some of them, so that one builder can serve several cards.
        tracks: the directions in which it competes.
        tasks, kinds: of task and of modality that it can do.
        modalities: least and largest number of them.
        missing: whether it accepts samples with absent modalities.
        each_modality: one row a modality, handed to the builder as ``modality=NAME``.
        deterministic: every seed gives the same, so that one is run.
        own_encoder: it brings its own encoder, and its rows say so.
        needs: what it needs of the dataset beyond its splits (``"posterior"``).
        role: ``method``, or a row that others are measured against: a ``floor`` or the ``ceiling``.
        opt_in: run only where it is named: ``--all`` and the committed leaderboards leave it out.
        paper: identifier of its source.
        claims: what the contract tests and the boards' studies hold it to: ``"synergy"`` (it learns a XOR
            of two modalities), ``"linear"`` (it cannot), ``"permutation-invariant"`` (modalities of one
            shape, encoded alike, may change places).
    """

    name: str
    summary: str
    build: str
    preset: Mapping[str, object] = field(default_factory=dict)
    tracks: tuple[str, ...] = ("fusion",)
    tasks: tuple[TaskKind, ...] = ("classification", "multilabel", "regression", "verification", "anomaly")
    kinds: tuple[Kind, ...] = KINDS
    modalities: tuple[int, int] = (1, 10)
    missing: bool = True
    each_modality: bool = False
    deterministic: bool = False
    own_encoder: bool = False
    needs: tuple[str, ...] = ()
    role: str = "method"
    opt_in: bool = False
    paper: str = ""
    claims: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check("method", self.name, self.build)
        words = {"tasks": (self.tasks, TASK_KINDS), "kinds": (self.kinds, KINDS), "role": ((self.role,), ROLES)}
        for what, (said, known) in words.items():
            unknown = [word for word in said if word not in known]
            if unknown:
                raise MmbenchError(
                    f"method {self.name!r}: {what} has {unknown[0]!r}; {did_you_mean(unknown[0], known)}"
                )
        if [type(count) for count in self.modalities] != [int, int] or not 1 <= self.modalities[0] <= self.modalities[
            1
        ]:
            raise MmbenchError(
                f"method {self.name!r}: modalities={self.modalities}; write the least and the largest number: (2, 10)"
            )
        if not self.tracks or not self.tasks:
            raise MmbenchError(f"method {self.name!r}: it needs at least one track and one task")

    def refuses(self, task: Task, offers: tuple[str, ...] = (), missing: bool = False) -> str:
        """Why this method cannot do a task; empty if it can.

        Args:
            task: to be done.
            offers: what the dataset has beyond its splits.
            missing: whether its samples lack modalities.
        """
        if task.kind not in self.tasks:
            return f"does {', '.join(self.tasks)}, not {task.kind}"
        unknown = sorted({modality.kind for modality in task.modalities} - set(self.kinds))
        if unknown:
            return f"takes {', '.join(self.kinds)}, not {', '.join(unknown)}"
        least, most = self.modalities
        if not least <= len(task.modalities) <= most:
            return f"takes {least} to {most} modalities, not {len(task.modalities)}"
        if missing and not self.missing:
            return "needs every modality of every sample"
        lacking = [need for need in self.needs if need not in offers]
        return f"needs a known {', '.join(lacking)}" if lacking else ""


@dataclass(frozen=True)
class TermCard:
    """A loss, target rule or augmentation that composes onto any fusion model.

    Args:
        name, summary: as a method's.
        build: ``"package.module:callable"`` of ``callable(task, *, …)``, which returns a ``Term``.
        tasks: that it can do.
        needs: fields of ``FusionOutput`` that it reads.
        makes_missing: whether it makes modalities absent, which not every method accepts.
    """

    name: str
    summary: str
    build: str
    tasks: tuple[TaskKind, ...] = TASK_KINDS
    needs: tuple[str, ...] = ()
    makes_missing: bool = False

    def __post_init__(self) -> None:
        _check("term", self.name, self.build)


@dataclass(frozen=True)
class DatasetCard:
    """A dataset: where it is from, what it holds, and who makes it.

    Args:
        name, summary: as a method's.
        build: ``"package.module:callable"`` of ``callable(*, …)``, which returns a
            ``mmbench.data.Source``. Its keyword-only arguments are the dataset's parameters.
        task: under the default parameters.
        preset: values of some of them, so that one builder can serve several cards.
        sizes: rows of train, validation and test, under the default parameters.
        group: what makes samples dependent (speaker, person, video); empty if nothing does.
        ceiling: the best score that any method can reach in expectation, where it is known.
        posterior: ``"package.module:callable"`` of ``callable(inputs, *, …)``, the exact p(y|x) of raw
            (not standardised) float64 ``Inputs`` as a (N,K) tensor, with the dataset's parameters;
            empty where it is not known.
        training: options that every fusion model is trained with on it.
        protocols: by protocol's name, parameters that it changes, or (as text) why it leaves
            this dataset out.
        collections: of files that it is made from, by the names of ``mmbench data fetch``; none for
            what is generated or comes with a library.
        content: fingerprint of what its builder gives under the default parameters; data that differ
            from it are refused. Empty where nothing is pinned.
        version: raised when the content changes.
        licence, citation, source: as their owner states them.
        notes: what a reader of its scores should know.
        findings: of ``mmbench data check``, in its words.
        minutes: of one core, that a neural method took for all seeds of the standard protocol
            (median over methods, measured); None where it was not measured.
    """

    name: str
    summary: str
    build: str
    task: Task
    preset: Mapping[str, object] = field(default_factory=dict)
    sizes: tuple[int, int, int] = (0, 0, 0)
    group: str = ""
    ceiling: float | None = None
    posterior: str = ""
    training: Mapping[str, object] = field(default_factory=dict)
    protocols: Mapping[str, Mapping[str, object] | str] = field(default_factory=dict)
    collections: tuple[str, ...] = ()
    content: str = ""
    version: str = "1"
    licence: str = ""
    citation: str = ""
    source: str = ""
    notes: str = ""
    findings: tuple[str, ...] = ()
    minutes: float | None = None

    def __post_init__(self) -> None:
        _check("dataset", self.name, self.build)

    @property
    def offers(self) -> tuple[str, ...]:
        """What it has beyond its splits, in the words of ``MethodCard.needs``."""
        return ("posterior",) if self.posterior else ()


MEASURED = ("predictions", "method")


@dataclass(frozen=True)
class MeasureCard:
    """A measure: what turns predictions, or a fitted method, into named scores.

    Args:
        name, summary: as a method's.
        build: ``"package.module:callable"``. Of a measure of predictions, ``callable(evaluation) -> {score
            name: value}``; of one that needs the method, ``callable(subject, *, …) -> Findings`` (see
            ``mmbench.measures.subject``), whose keyword-only arguments are its parameters.
        scores: what it gives, with unit, direction, range and chance level.
        tasks: that it can judge.
        needs: ``"predictions"`` (it stands in every record) or ``"method"`` (it stands beside the record,
            and users choose it).
        protocols: by protocol's name, parameters that it changes.
        opt_in: runs only where it is named.
        headline: of its scores, the one that stands beside accuracy on a board; empty for none.
        details: of its scores, those that a board shows in its second table.
    """

    name: str
    summary: str
    build: str
    scores: tuple[Score, ...]
    tasks: tuple[TaskKind, ...] = TASK_KINDS
    needs: str = "predictions"
    protocols: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    opt_in: bool = False
    headline: str = ""
    details: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check("measure", self.name, self.build)
        if self.needs not in MEASURED:
            raise MmbenchError(f"measure {self.name!r}: needs={self.needs!r}; {did_you_mean(self.needs, MEASURED)}")
        known = [score.name for score in self.scores]
        for shown in filter(None, (self.headline, *self.details)):
            if shown not in known:
                raise MmbenchError(f"measure {self.name!r} has no score {shown!r}; {did_you_mean(shown, known)}")
