"""The plan: which cells there are, which of them exist already, and why others are left out."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from mmbench.core.arithmetic import Arithmetic
from mmbench.core.errors import MmbenchError
from mmbench.core.spec import Spec
from mmbench.data.cache import Prepared
from mmbench.registry import installed
from mmbench.results import store
from mmbench.results.provenance import core_source, method_source
from mmbench.results.schema import Identity, Tuning
from mmbench.sweep.augmentation import choose_augmentation, in_text, refuses
from mmbench.sweep.choices import DatasetChoice, MethodChoice, TermChoice
from mmbench.sweep.measures import MeasureChoice, fitting_task, lacking
from mmbench.sweep.protocol import Protocol

State = Literal["new", "stale", "partial", "done", "flawed", "failed"]
SeedsMode = Literal["sequential", "together", "auto"]
TO_RUN: tuple[State, ...] = ("new", "stale", "partial")
SEEDS_MODES: tuple[SeedsMode, ...] = get_args(SeedsMode)


@dataclass(frozen=True)
class Settings:
    """What holds for every cell of a sweep.

    Attributes:
        out: folder of the results.
        protocol: how cells are run.
        seeds: 0, 1, …
        arithmetic: where and how precisely cells compute.
        seeds_mode: how the seeds of a method are trained.
        exclusive: whether a worker has its accelerator to itself.
        measures: of the fitted method, that cells are to have beside their record.
    """

    out: Path
    protocol: Protocol
    seeds: tuple[int, ...]
    arithmetic: Arithmetic = field(default_factory=Arithmetic)
    seeds_mode: SeedsMode = "sequential"
    exclusive: bool = False
    measures: tuple[MeasureChoice, ...] = ()


@dataclass(frozen=True)
class Cell:
    """One record to be: its identity, its place, and what stands there.

    ``stale`` means that a record of it exists that other code or other data have made; ``partial``, that it has
    a score and lacks measures; ``flawed``, that it has a score, and a measure of it went wrong.
    """

    identity: Identity
    place: store.Place
    state: State


@dataclass(frozen=True)
class Trial:
    """What makes a cell a trial of a search.

    Attributes:
        number, budget: which one of how many.
        bars: by epoch, the validation criterion above which its training is ended; empty for no such end.
    """

    number: int
    budget: int
    bars: tuple[float, ...] = ()


@dataclass(frozen=True)
class CellBatch:
    """The cells of all seeds of one method on one dataset: what one worker runs.

    Attributes:
        augmentation: the protocol's.
        trial: of a batch whose one cell is a trial.
        tuning: of a batch whose parameters come from a search.
    """

    method: MethodChoice
    dataset: DatasetChoice
    prepared: Prepared
    settings: Settings
    cells: tuple[Cell, ...]
    augmentation: tuple[TermChoice, ...] = ()
    trial: Trial | None = None
    tuning: Tuning | None = None

    @property
    def measures(self) -> tuple[MeasureChoice, ...]:
        """That its cells are to have."""
        return () if self.trial is not None else fitting_task(self.settings.measures, self.prepared.task)

    def to_run(self, retry_failed: bool = False) -> "CellBatch":
        """The same with the cells alone that have to be run."""
        wanted = (*TO_RUN, "failed", "flawed") if retry_failed else TO_RUN
        return replace(self, cells=tuple(cell for cell in self.cells if cell.state in wanted))

    def __str__(self) -> str:
        what = f"{self.method.spec} on {self.dataset.spec}"
        return f"{what}, trial {self.trial.number + 1} of {self.trial.budget}" if self.trial else what


@dataclass(frozen=True)
class Skip:
    """A method or a dataset that is left out, and why."""

    method: Spec | None
    dataset: Spec
    reason: str


@dataclass(frozen=True)
class Plan:
    """All batches of a sweep, and what was left out."""

    batches: tuple[CellBatch, ...]
    skipped: tuple[Skip, ...] = ()

    def cells(self) -> Iterator[Cell]:
        for batch in self.batches:
            yield from batch.cells

    def count(self) -> dict[State, int]:
        counts: dict[State, int] = dict.fromkeys(get_args(State), 0)
        for cell in self.cells():
            counts[cell.state] += 1
        return counts


def make_plan(
    methods: Sequence[MethodChoice], datasets: Sequence[tuple[DatasetChoice, Prepared]], settings: Settings
) -> Plan:
    """Every method on every prepared dataset, in the order given.

    Raises:
        MmbenchError: if the protocol changes the train split in a way that has no effect on any dataset.
    """
    batches: dict[str, CellBatch] = {}  # what is asked for twice runs once
    skipped: list[Skip] = []
    augmentation = choose_augmentation(installed(), settings.protocol.augment)
    refused = [refuses(prepared.task, prepared.missing, settings.protocol, augmentation) for _, prepared in datasets]
    if datasets and all(refused):
        raise MmbenchError(f"{datasets[0][0].spec}: {refused[0]}")
    for (dataset, prepared), no_effect in zip(datasets, refused, strict=True):
        if no_effect:
            skipped.append(Skip(None, dataset.spec, no_effect))
            continue
        for method in methods:
            missing = prepared.missing or any(term.card.makes_missing for term in (*method.terms, *augmentation))
            reason = method.card.refuses(prepared.task, dataset.card.offers, missing)
            reason = reason or method.refuses(prepared.task)
            if reason:
                skipped.append(Skip(method.spec, dataset.spec, reason))
                continue
            for variant in _variants(method, prepared):
                if (name := f"{variant.spec} on {dataset.spec}") not in batches:
                    batches[name] = _batch(variant, dataset, prepared, settings, augmentation)
    return Plan(tuple(batches.values()), tuple(skipped))


def _variants(method: MethodChoice, prepared: Prepared) -> list[MethodChoice]:
    """One a modality where the card says so and the user has not chosen one."""
    if not method.card.each_modality or "modality" in method.build:
        return [method]
    return [replace(method, build={**method.build, "modality": name}) for name in prepared.task.names]


def _batch(
    method: MethodChoice,
    dataset: DatasetChoice,
    prepared: Prepared,
    settings: Settings,
    augmentation: tuple[TermChoice, ...],
) -> CellBatch:
    terms = [term.card for term in (*method.terms, *augmentation)]
    identity = Identity(
        method=method.card.name,
        parameters=method.parameters,  # type: ignore[arg-type]  # pydantic checks that they are plain
        method_source=method_source(method.card, terms, dataset.card),
        core_source=core_source(),
        dataset=dataset.card.name,
        dataset_parameters=dict(dataset.parameters),  # type: ignore[arg-type]
        dataset_version=dataset.card.version,
        data=prepared.fingerprint,
        training=training_from_outside(dataset, settings.protocol),  # type: ignore[arg-type]
        augment=in_text(augmentation),
        balance=settings.protocol.balance,
        track=method.card.tracks[0],
        protocol=settings.protocol.name,
        protocol_version=settings.protocol.version,
        seed=0,
        **asdict(settings.arithmetic),
        together=settings.seeds if trains_together(settings, prepared) else (),
    )
    seeds = settings.seeds[:1] if method.card.deterministic else settings.seeds
    place = store.Place(settings.out, settings.protocol.name, dataset.spec, method.spec, 0)
    recorded = place.recorded_seeds()
    measures = fitting_task(settings.measures, prepared.task)
    cells = (
        cell_at(identity.model_copy(update={"seed": seed}), replace(place, seed=seed), recorded, measures)
        for seed in seeds
    )
    return CellBatch(method, dataset, prepared, settings, tuple(cells), augmentation)


def trains_together(settings: Settings, prepared: Prepared) -> bool:
    """Whether the seeds of a method on a dataset are trained at once, as far as the method allows it.

    ``auto`` decides by the device alone: on CUDA kernels of small models cost their launch, which the
    seeds share. On a CPU they share only what Python costs around them: docs/speed.md has the figures.
    """
    if len(settings.seeds) < 2:
        return False
    return settings.seeds_mode == "together" or (settings.seeds_mode == "auto" and settings.arithmetic.device == "cuda")


def training_from_outside(dataset: DatasetChoice, protocol: Protocol) -> dict[str, object]:
    """Training options that hold for every fusion model: the dataset's, and the protocol's over them."""
    return {**dataset.card.training, **protocol.training}


def cell_at(identity: Identity, place: store.Place, recorded: set[int], measures: Sequence[MeasureChoice] = ()) -> Cell:
    """The cell, with what stands in its place.

    Args:
        identity, place: of the cell.
        recorded: seeds that have a record there.
        measures: that it is to have.
    """
    record = place.record(identity.key)
    status = store.status(record)
    if status is None:
        return Cell(identity, place, "stale" if identity.seed in recorded else "new")
    if status != "ok":
        return Cell(identity, place, "failed")
    if lacking(record, measures):
        return Cell(identity, place, "partial")
    return Cell(identity, place, "flawed" if lacking(record, measures, retry_failed=True) else "done")
