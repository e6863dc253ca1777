"""From what a cell gave, or what became of it, to its record."""

from dataclasses import dataclass, field

from pydantic import ValidationError

from mmbench import __version__
from mmbench.registry import installed
from mmbench.results import provenance
from mmbench.results.schema import (
    Cost,
    Execution,
    ModalityRecord,
    Outcome,
    Plain,
    Provenance,
    Result,
    TaskRecord,
    TrialPart,
)
from mmbench.sweep.faults import MESSAGE, shortened
from mmbench.sweep.plan import Cell, CellBatch


@dataclass(frozen=True)
class Measured:
    """What a cell that ran to its end has measured; the attributes are those of ``Result``, and of its trial."""

    scores: dict[str, float] = field(default_factory=dict)
    validation: dict[str, float] = field(default_factory=dict)
    chance: float | None = None
    configuration: dict[str, Plain] = field(default_factory=dict)
    execution: Execution = field(default_factory=Execution)
    cost: Cost = field(default_factory=Cost)
    curve: tuple[float, ...] = ()
    criteria: tuple[float, ...] = ()


def make_result(
    batch: CellBatch, cell: Cell, outcome: Outcome, measured: Measured | None = None, device: str = ""
) -> Result:
    """The record of a cell, whether it went well or not.

    Args:
        batch, cell: which one.
        outcome: how it ended.
        measured: what it gave.
        device: the accelerator's name, where it ran on one.
    """
    measured = measured or Measured()
    task, card = batch.prepared.task, batch.method.card
    return Result(
        key=cell.identity.key,
        identity=cell.identity,
        outcome=outcome,
        role=card.role,
        own_encoder=card.own_encoder,
        configuration=measured.configuration,
        task=TaskRecord(
            kind=task.kind,
            outputs=task.outputs,
            metric=task.metric,
            higher_is_better=task.score.higher_is_better,
            modalities=tuple(ModalityRecord(name=m.name, kind=m.kind, shape=m.shape) for m in task.modalities),
            sizes=batch.prepared.sizes,
            group=batch.dataset.card.group,
        ),
        scores=measured.scores,
        validation=measured.validation,
        chance=measured.chance,
        ceiling=batch.prepared.ceiling,
        execution=measured.execution,
        cost=measured.cost,
        curve=measured.curve,
        trial=None if batch.trial is None else TrialPart(number=batch.trial.number, criteria=measured.criteria),
        tuning=batch.tuning,
        provenance=_provenance(card.name, device),
    )


def checked_result(batch: CellBatch, cell: Cell, outcome: Outcome, measured: Measured | None, device: str) -> Result:
    """The record; an ``error`` if what a measure or the method gave cannot stand in one."""
    try:
        return make_result(batch, cell, outcome, measured, device)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        message = shortened(f"{where} cannot be kept: {first['msg']}: {first['input']!r}", MESSAGE)
        failed = Outcome(status="error", message=message, attempts=outcome.attempts)
        return make_result(batch, cell, failed, device=device)


def _provenance(method: str, device: str) -> Provenance:
    commit, dirty = provenance.git_state()
    return Provenance(
        created=provenance.now(),
        mmbench=__version__,
        plugin=_distribution(method),
        libraries=provenance.libraries(),
        hardware={**provenance.hardware(), **({"device": device} if device else {})},
        commit=commit,
        dirty=dirty,
    )


def _distribution(method: str) -> str:
    """``name version`` of the distribution that a method came with; empty if no plugin offers it."""
    plugins = (plugin for plugin in installed().plugins if method in plugin.cards.get("methods", ()))
    return next((f"{plugin.distribution} {plugin.version}" for plugin in plugins), "")
