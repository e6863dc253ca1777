"""What a fitted method takes: parameters, operations, seconds and memory."""

from typing import Annotated

from mmbench.core.parameters import Range
from mmbench.measures.cost.flops import Flops, count_flops
from mmbench.measures.subject import Effort, Findings, Plain, Subject, Table
from mmbench.nn.models import FusionModel
from mmbench.nn.records import Split

MIB = 2**20


def cost(subject: Subject, *, rows: Annotated[int, Range(1, 256)] = 8) -> Findings:
    """Parameters and FLOPs of the trained model; seconds and memory as they were observed.

    Args:
        subject: the fitted method.
        rows: of the test split in the forward pass that is counted, with all modalities where there are such.

    Returns:
        ``cost_…`` scores, those that are not known left out; the table ``operators`` of FLOPs a sample; and in
        the notes ``uncounted``, the operators that do arithmetic for which there is no formula.
    """
    scores, notes = _observed(subject.effort)
    tables: dict[str, Table] = {}
    model = subject.model
    if model is None:
        notes["no_model"] = "the method is no single model: it has neither parameters nor FLOPs of its own"
    else:
        scores |= _parameters(model)
        split = _some(subject, rows)
        if len(split):
            flops = _flops(subject, model, split)
            scores["cost_flops"] = flops.total / len(split)
            tables["operators"] = _table(flops, len(split))
            notes["uncounted"] = ", ".join(flops.uncounted) or None
            notes["rows"] = len(split)
            notes["complete"] = bool(split.inputs.present.all())
        else:
            notes["no_flops"] = "no row of the test split has a modality"
    return Findings(scores, tables, notes, reason="" if scores else "nothing is known of its cost")


def _observed(effort: Effort) -> tuple[dict[str, float], dict[str, Plain]]:
    """Scores of what was observed, and notes of what was not."""
    seconds = {
        "cost_fit_seconds": effort.fit,
        "cost_data_seconds": effort.data,
        "cost_steps_seconds": effort.steps,
        "cost_judging_seconds": effort.judging,
        "cost_predict_seconds": effort.predict,
    }
    peak = None if effort.peak_bytes is None else effort.peak_bytes / MIB
    values = {**seconds, "cost_peak_mib": peak}
    missing = [name for name, value in values.items() if value is None]
    notes: dict[str, Plain] = {"not_observed": ", ".join(missing)} if missing else {}
    extra = {name: value for name, value in effort.extra.items() if isinstance(value, Plain)}
    return {name: float(value) for name, value in values.items() if value is not None}, {**extra, **notes}


def _parameters(model: FusionModel) -> dict[str, float]:
    parameters = list(model.parameters())
    return {
        "cost_parameters": float(sum(x.numel() for x in parameters)),
        "cost_trainable": float(sum(x.numel() for x in parameters if x.requires_grad)),
    }


def _some(subject: Subject, rows: int) -> Split:
    """Rows of test with all modalities; where there is none, with some."""
    split = subject.rows("test", rows, complete=True)
    if len(split):
        return split
    split = subject.rows("test")
    return split.take(split.inputs.present.any(1).nonzero()[:rows, 0])


def _flops(subject: Subject, model: FusionModel, split: Split) -> Flops:
    inputs = subject.to_device(split.withheld()).inputs
    return count_flops(lambda: model(inputs))


def _table(flops: Flops, rows: int) -> Table:
    """FLOPs a sample by operator, the largest first."""
    found = sorted(flops.operators.items(), key=lambda item: -item[1])
    return {"operator": [name for name, _ in found], "flops": [_short(count / rows) for _, count in found]}


def _short(value: float) -> float:
    return float(f"{value:.5g}")
