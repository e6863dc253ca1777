"""From what a cell gave, or what became of it, to its record."""

from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version

from mmbench import __version__
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
)
from mmbench.sweep.plan import Cell, CellBatch


@dataclass(frozen=True)
class Measured:
    """What a cell that ran to its end has measured; the attributes are those of ``Result``."""

    scores: dict[str, float] = field(default_factory=dict)
    validation: dict[str, float] = field(default_factory=dict)
    chance: float | None = None
    configuration: dict[str, Plain] = field(default_factory=dict)
    execution: Execution = field(default_factory=Execution)
    cost: Cost = field(default_factory=Cost)


def make_result(batch: CellBatch, cell: Cell, outcome: Outcome, measured: Measured | None = None) -> Result:
    """The record of a cell, whether it went well or not."""
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
        provenance=_provenance(card.build),
    )


def _provenance(build: str) -> Provenance:
    commit, dirty = provenance.git_state()
    return Provenance(
        created=provenance.now(),
        mmbench=__version__,
        plugin=_distribution(build.partition(".")[0].partition(":")[0]),
        libraries=provenance.libraries(),
        hardware=provenance.hardware(),
        commit=commit,
        dirty=dirty,
    )


@cache
def _distribution(package: str) -> str:
    """``name version`` of the distribution that a package came with; empty if it was not installed."""
    names = packages_distributions().get(package, [])
    try:
        return f"{names[0]} {version(names[0])}" if names else ""
    except PackageNotFoundError:
        return ""
