"""What the words of a command line ask for: methods, datasets, workers."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmbench.core.errors import MmbenchError
from mmbench.registry import Registry

if TYPE_CHECKING:  # `mmbench --help` imports this module, and must not import what runs cells
    from mmbench.sweep.choices import DatasetChoice, MethodChoice
    from mmbench.sweep.local import LocalExecutor
    from mmbench.sweep.plan import Skip


@dataclass(frozen=True)
class Choices:
    """What the words of the command line ask for, and what the protocol leaves out."""

    methods: "list[MethodChoice]"
    datasets: "list[DatasetChoice]"
    left_out: "list[Skip]"


def choose(registry: Registry, methods: Sequence[str], datasets: Sequence[str], protocol: str) -> Choices:
    """Without ``-m`` every method is meant that is not opt-in, without ``-d`` every dataset of the protocol
    whose files are here; a dataset that is named runs even where the protocol would leave it out. What is
    named twice runs once.

    Raises:
        MmbenchError: for what cannot be read, and for a dataset that is named and has no files here.
    """
    from mmbench.core.spec import Spec
    from mmbench.sweep.choices import (
        NO_FILES,
        DatasetChoice,
        MethodChoice,
        choose_dataset,
        choose_method,
        lacks_files,
        under_protocol,
    )
    from mmbench.sweep.plan import Skip

    chosen_methods = list({str(c.spec): c for c in (choose_method(registry, text) for text in methods)}.values())
    chosen_methods = chosen_methods or [MethodChoice(card) for card in registry.methods.values() if not card.opt_in]
    named: list[DatasetChoice] = []
    for choice in (choose_dataset(registry, text) for text in datasets):
        alike = next((other for other in named if other.spec == choice.spec), None)
        if alike and alike.card != choice.card:
            raise MmbenchError(f"two datasets are called {choice.card.name!r}: their results would be mixed up")
        named += [] if alike else [choice]
    chosen_datasets, left_out = [], []
    for choice in named or [DatasetChoice(card) for card in registry.datasets.values()]:
        changed = under_protocol(choice, protocol)
        if isinstance(changed, str) and named:
            changed = choice
        reason = changed if isinstance(changed, str) else lacks_files(changed)
        if not isinstance(changed, str) and not reason:
            chosen_datasets.append(changed)
        elif named:
            raise MmbenchError(f"dataset {choice.card.name!r} cannot be made: {reason}")
        else:
            left_out.append(Skip(None, Spec(choice.card.name), changed if isinstance(changed, str) else NO_FILES))
    return Choices(chosen_methods, chosen_datasets, left_out)


def need_choice(everything: bool, methods: Sequence[str], datasets: Sequence[str], verb: str) -> None:
    """Refuse a command that names nothing.

    Raises:
        MmbenchError: if it does.
    """
    if not everything and not (methods or datasets):
        raise MmbenchError(f"say what to {verb}: --all, or -m METHOD and -d DATASET (see `mmbench list methods`)")


def make_executor(
    jobs: int | None, threads: int, timeout: float | None, memory: str | None, devices: Sequence[str]
) -> "LocalExecutor":
    """Of as many workers as there are devices or cores, where no number is given.

    Raises:
        MmbenchError: if ``memory`` is no size.
    """
    from mmbench.sweep.local import LocalExecutor
    from mmbench.sweep.memory import read_size

    workers = jobs or len(devices) or os.cpu_count() or 1
    return LocalExecutor(workers, threads, timeout, None if memory is None else read_size(memory), devices)
