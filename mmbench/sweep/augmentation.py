"""What a protocol changes of the train split: read, checked, and refused where it would have no effect."""

from collections.abc import Sequence
from dataclasses import replace

from mmbench.core.errors import MmbenchError
from mmbench.core.spec import Spec
from mmbench.core.task import Task
from mmbench.registry import Registry, load
from mmbench.sweep.choices import TermChoice, choose_terms
from mmbench.sweep.protocol import Protocol

WITH_CLASSES = ("classification", "verification", "anomaly")  # tasks whose rows are balanced by class too


def with_train_split(protocol: Protocol, registry: Registry, augment: str, balance: bool) -> Protocol:
    """The protocol with augmentation terms and a balanced train split, where they are asked for.

    It is another protocol, with a name of its own: its results lie beside those of the plain one, and
    its boards stand beside them.

    Raises:
        MmbenchError: if ``augment`` cannot be read, or names a term that is no augmentation.
    """
    augment = in_text(choose_augmentation(registry, augment))
    changes = {**({"augment": augment} if augment else {}), **({"balance": "yes"} if balance else {})}
    name = Spec(protocol.name, changes).slug
    return replace(protocol, name=name, augment=augment or protocol.augment, balance=balance or protocol.balance)


def choose_augmentation(registry: Registry, text: str) -> tuple[TermChoice, ...]:
    """The terms of ``noise(scale=0.1)+modality-dropout``, in the order in which they act.

    Raises:
        MmbenchError: for an unknown name, parameter or value, or a weight.
    """
    chosen = choose_terms(registry, text, "--augment")
    for term in chosen:
        if term.weight != 1:
            raise MmbenchError(f"--augment: {term} has a weight, and an augmentation has none: write {term.unweighted}")
    return chosen


def in_text(augmentation: Sequence[TermChoice]) -> str:
    """The one canonical form: what equals a term's default is left out."""
    return "+".join(term.unweighted for term in augmentation)


def refuses(task: Task, missing: bool, protocol: Protocol, augmentation: Sequence[TermChoice]) -> str:
    """Why the train split of a task cannot be changed so, or not with any effect; empty if it can.

    Args:
        task: of the dataset.
        missing: whether its samples lack modalities.
        protocol: says whether the train split is balanced.
        augmentation: the protocol's.

    Raises:
        MmbenchError: for a term that is no augmentation.
    """
    if protocol.balance and not missing and task.kind not in WITH_CLASSES:
        return f"--balance has no effect: {task.kind} has no classes to balance, and no sample lacks a modality"
    for term in augmentation:
        if said := term.refuses(task):
            return said
        try:
            made = load(term.card)(task, **term.parameters)
        except MmbenchError as error:
            return str(error)
        if not _augments(made):
            raise MmbenchError(
                f"--augment: {term.card.name} leaves inputs as they are; as a loss of one method it is written "
                f"METHOD[loss={term.card.name}]"
            )
    return ""


def _augments(term: object) -> bool:
    """Whether a term changes inputs. Torch is imported here, as it was with the term."""
    from mmbench.nn.models import Term

    return isinstance(term, Term) and type(term).inputs is not Term.inputs
