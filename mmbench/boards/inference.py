"""The statistics of one dataset under one protocol: what its analysis states."""

from collections.abc import Sequence

from mmbench.boards.bootstrap import Resampled, differences, estimate, resample, rounded
from mmbench.boards.gather import CEILING, Gathering, Row
from mmbench.boards.predictions import RowPredictions, Targets, UnusableError, read_predictions, read_targets
from mmbench.boards.schema import (
    RESAMPLES,
    RESAMPLES_OTHERS,
    SEED,
    Analysis,
    Bootstrap,
    Difference,
    Estimate,
    LeftOutRecords,
    RowAnalysis,
)


def analyse_dataset(gathering: Gathering, resamples: int = RESAMPLES) -> Analysis:
    """The statistics of one dataset under one protocol."""
    newest, metric, score = gathering.newest, gathering.task.metric, gathering.score
    targets, resampled = _resampled(gathering, resamples)
    compared = differences(gathering.rows, metric, resampled)
    best = gathering.best_unimodal
    best_id = best.id if best else None
    units = targets.units if targets else None
    return Analysis(
        protocol=newest.identity.protocol,
        protocol_version=newest.identity.protocol_version,
        dataset=str(gathering.dataset),
        data=newest.identity.data,
        core_source=newest.identity.core_source,
        metric=metric,
        higher_is_better=score.higher_is_better,
        records=gathering.records,
        digest=gathering.digest,
        bootstrap=Bootstrap(
            resamples=resamples,
            resamples_others=min(resamples, RESAMPLES_OTHERS),
            seed=SEED,
            unit=units.name if units else "example",
            units=units.count if units else 0,
            examples=len(units.of_row) if units else 0,
        ),
        chance=gathering.chance,
        ceiling=gathering.ceiling,
        best_unimodal=best_id,
        rows=tuple(_row(row, gathering, resampled, compared, best_id) for row in gathering.rows if row.results),
        comparisons=tuple(compared),
        left_out=tuple(
            LeftOutRecords(differs=out.differs, methods=out.methods, records=out.records) for out in gathering.left_out
        ),
        unreadable=dict(gathering.unreadable),
    )


def _resampled(gathering: Gathering, resamples: int) -> tuple[Targets | None, Resampled]:
    """The bootstrap of all rows whose predictions can be used, and why the others have none."""
    try:
        targets = read_targets(gathering)
    except UnusableError as error:
        return None, Resampled({}, {row.id: str(error) for row in gathering.rows})
    usable: list[RowPredictions] = []
    reasons: dict[str, str] = {}
    for row in gathering.rows:
        try:
            usable.append(read_predictions(row, targets))
        except UnusableError as error:
            reasons[row.id] = str(error)
    task = gathering.task
    return targets, Resampled(resample(task.kind, task.metric, usable, targets, resamples), reasons)


def _row(
    row: Row, gathering: Gathering, resampled: Resampled, compared: Sequence[Difference], best: str | None
) -> RowAnalysis:
    metric = gathering.task.metric
    names = sorted({name for result in row.results for name in result.scores})
    scores = {name: estimate(row, name, resampled) for name in names}
    versus = None
    if best is not None and best != row.id:
        versus = next((d.seen_from(row.id) for d in compared if {d.first, d.second} == {row.id, best}), None)
    return RowAnalysis(
        id=row.id,
        method=row.label,
        role=row.any.role,
        keys=tuple(result.key for result in row.results),
        seeds=row.seeds,
        failed=row.statuses,
        scores=scores,
        normalised=_normalised(scores.get(metric), gathering.chance, gathering.ceiling),
        rank=_rank(row, scores.get(metric), gathering, compared),
        versus_unimodal=versus,
        reason=resampled.reasons.get(row.id, ""),
    )


def _rank(row: Row, score: Estimate | None, gathering: Gathering, compared: Sequence[Difference]) -> int | None:
    """1 + rows that are significantly better; ceilings neither have a rank nor cost one."""
    ceilings = {other.id for other in gathering.rows if other.any.role == CEILING}
    if row.id in ceilings or score is None or score.low is None:
        return None
    worse = -1 if gathering.score.higher_is_better else 1
    mine = [d.seen_from(row.id) for d in compared if row.id in (d.first, d.second)]
    return 1 + sum(d.sign == worse for d in mine if d.second not in ceilings)


def _normalised(score: Estimate | None, chance: float | None, ceiling: float | None) -> Estimate | None:
    """(score - chance) / (ceiling - chance), of the mean and of both ends of the interval."""
    if score is None or chance is None or ceiling is None or ceiling == chance:
        return None

    def share(value: float) -> float:
        return rounded((value - chance) / (ceiling - chance))

    if score.low is None or score.high is None:
        return Estimate(mean=share(score.mean), reason=score.reason)
    low, high = sorted((share(score.low), share(score.high)))
    return Estimate(mean=share(score.mean), low=low, high=high, resamples=score.resamples)
