"""What the harness asks of every method, as checks that anybody can run on a method of theirs.

    >>> from mmbench.registry import installed
    >>> for check in checks_for(installed().method("late")):
    ...     check.run()

A check raises ``ContractError`` with what was wrong and what to do, or ``NotAskedError`` where it cannot
be made. They are fast: models are as small as their builders allow, and nothing is timed.
"""

from collections.abc import Callable

from mmbench.core.cards import MethodCard
from mmbench.testing.contract import (
    absence,
    declared,
    devices,
    gradients,
    learning,
    modalities,
    outputs,
    packed,
    process,
    rows,
    seeds,
    state,
)
from mmbench.testing.contract.check import Check, ContractError, NotAskedError, Rule
from mmbench.testing.contract.subject import Subject

__all__ = ["RULES", "Check", "ContractError", "NotAskedError", "Rule", "checks_for"]


def _model(subject: Subject) -> bool:
    return subject.is_model


def _packed(subject: Subject) -> bool:
    """A function that makes the method says nothing of bytes."""
    return "image" in subject.card.kinds and bool(getattr(subject.builder, "packed", False))


def _invariant(subject: Subject) -> bool:
    return subject.is_model and "permutation-invariant" in subject.card.claims


def _method(subject: Subject) -> bool:
    """A floor may ignore what it likes, and a ceiling does not learn."""
    return subject.card.role == "method"


RULES: tuple[Rule, ...] = (
    Rule("parameters", declared.parameters),
    Rule("output", outputs.fields),
    Rule("tasks", outputs.tasks),
    Rule("rows", rows.own),
    Rule("linear", rows.linear, _model),
    Rule("absence", absence.absent, lambda subject: subject.card.missing),
    Rule("padding", absence.padding),
    Rule("modalities", modalities.every_one, _method),
    Rule("embeddings", modalities.embeddings),
    Rule("invariance", modalities.invariance, _invariant),
    Rule("gradients", gradients.everywhere, _model),
    Rule("registered", state.registered, _model),
    Rule("round-trip", state.round_trip, _model),
    Rule("evaluation", seeds.evaluation),
    Rule("seeded", seeds.seeded),
    Rule("together", seeds.together, _model),
    Rule("packed", packed.bytes_too, _packed),
    Rule("inputs", process.inputs),
    Rule("globals", process.globals_),
    Rule("learns", learning.separable_set, _method),
    Rule("device", devices.agree, _model),
)


def checks_for(card: MethodCard, build: Callable[..., object] | None = None) -> list[Check]:
    """The checks that a method has to pass.

    Args:
        card: of the method. What it says that the method cannot do is not asked.
        build: the builder; by default what the card names.
    """
    subject = Subject(card, build)
    return [Check(rule, subject) for rule in RULES if rule.asked(subject)]
