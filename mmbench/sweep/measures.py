"""Which measures of the fitted method a sweep takes, and which of them a cell still lacks."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmbench.core.cards import MeasureCard
from mmbench.core.errors import MmbenchError, did_you_mean
from mmbench.core.parameters import bind, parameters_of
from mmbench.core.spec import Spec, parse_spec, split_outside_brackets
from mmbench.core.task import Task
from mmbench.registry import Registry, load
from mmbench.results import measurements, provenance
from mmbench.results.measurements import Measurement
from mmbench.results.provenance import measure_source
from mmbench.sweep.protocol import Protocol

DEFAULT, NONE = "default", "none"
Flaw = tuple[str, str]  # of a measurement that went wrong: the measure's spec, and why


@dataclass(frozen=True)
class MeasureChoice:
    """A measure and the parameters of it that differ from the default, a protocol's included.

    Attributes:
        card: of the measure.
        parameters: that differ.
        source: hash of its source.
    """

    card: MeasureCard
    parameters: Mapping[str, object] = field(default_factory=dict)
    source: str = ""

    @property
    def spec(self) -> Spec:
        return Spec.of(self.card.name, self.parameters)


def choose_measures(registry: Registry, text: str, protocol: Protocol) -> tuple[MeasureChoice, ...]:
    """Read ``default``, ``none``, or names joined by commas, ``matching,robustness[draws=5]``; ``default`` may
    be one of them.

    Raises:
        MmbenchError: for what cannot be read, and for measures that stand in every record anyway.
    """
    known = {name: card for name, card in registry.measures.items() if card.needs == "method"}
    chosen: dict[str, MeasureChoice] = {}
    parts = [part.strip() for part in split_outside_brackets(text, ",")]
    if NONE in parts and len(parts) > 1:
        raise MmbenchError(f"--measures {text}: {NONE!r} stands alone")
    for part in parts:
        if part == DEFAULT:
            some = [_choice(card, {}, protocol) for card in known.values() if not card.opt_in]
        elif part == NONE:
            some = []
        else:
            spec = parse_spec(part)
            if spec.name not in known:
                inside = " (it stands in every record)" if spec.name in registry.measures else ""
                hint = did_you_mean(spec.name, [*known, DEFAULT, NONE])
                raise MmbenchError(f"--measures: there is no measure {spec.name!r} to choose{inside}; {hint}")
            some = [_choice(known[spec.name], spec.parameters, protocol)]
        chosen.update({choice.card.name: choice for choice in some})
    return tuple(chosen[name] for name in sorted(chosen))


def _choice(card: MeasureCard, given: Mapping[str, str], protocol: Protocol) -> MeasureChoice:
    change = card.protocols.get(protocol.name.partition("+")[0], {})
    source = measure_source(card)
    if not (given or change):
        return MeasureChoice(card, source=source)
    where = f"measure {card.name!r}"
    return MeasureChoice(card, bind(parameters_of(load(card), where), {**change, **given}, where), source)


def lacking(record: Path, wanted: Sequence[MeasureChoice], retry_failed: bool = False) -> tuple[MeasureChoice, ...]:
    """Those of the wanted measures that a recorded cell has not, or from other source.

    Args:
        record: path of the cell's record.
        wanted: measures.
        retry_failed: whether those that went wrong count as lacking.
    """
    if not wanted:
        return ()
    try:
        # not validated: a plan looks at thousands, and what is wrong is found where it is read
        entries = dict(json.loads(measurements.path_of(record).read_bytes())["measures"])
    except (OSError, ValueError, KeyError, TypeError):
        return tuple(wanted)
    return tuple(choice for choice in wanted if not _stands(entries.get(str(choice.spec)), choice, retry_failed))


def _stands(entry: object, choice: MeasureChoice, retry_failed: bool) -> bool:
    if not isinstance(entry, dict) or entry.get("source") != choice.source:
        return False
    if 0 < entry.get("begun", 0) < measurements.ATTEMPTS:
        return False
    return not (retry_failed and entry.get("error"))


def fitting_task(choices: Sequence[MeasureChoice], task: Task) -> tuple[MeasureChoice, ...]:
    """Those that can judge a task."""
    return tuple(choice for choice in choices if task.kind in choice.card.tasks)


def entry(choice: MeasureChoice, **found: Any) -> Measurement:
    """What a measure gave, with when and by which source."""
    commit, dirty = provenance.git_state()
    return Measurement(source=choice.source, created=provenance.now(), commit=commit, dirty=dirty, **found)


def give_up(record: Path, key: str, choices: Sequence[MeasureChoice], reason: str) -> None:
    """Record of measures that no worker came to, why."""
    measurements.enter(record, key, {str(choice.spec): entry(choice, error=reason) for choice in choices})


def flaws(record: Path, wanted: Sequence[MeasureChoice]) -> tuple[Flaw, ...]:
    """Those of the wanted measures of a recorded cell that went wrong."""
    found = measurements.readable(record) if wanted else {}
    specs = (str(choice.spec) for choice in wanted)
    return tuple((spec, found[spec].error) for spec in specs if spec in found and found[spec].error)
