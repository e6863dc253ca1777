"""A check: one rule of the contract, asked of one method."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from mmbench.core.errors import MmbenchError
from mmbench.testing.contract.subject import Subject


class ContractError(MmbenchError):
    """A method breaks a rule of the contract; the message says which, and what to do."""


class NotAskedError(Exception):
    """A check that cannot be made here; the message says why."""


def require(kept: object, message: str) -> None:
    """Raises ``ContractError`` with the message unless ``kept``."""
    if not kept:
        raise ContractError(message)


@dataclass(frozen=True)
class Rule:
    """A rule of the contract.

    Attributes:
        name: of the check.
        look: raises ``ContractError`` if a method breaks the rule. The first sentence of its docstring
            says what the check proves.
        asked: whether a method can be asked at all, by its card and what its builder makes.
    """

    name: str
    look: Callable[[Subject], None]
    asked: Callable[[Subject], bool] = lambda subject: True


@dataclass(frozen=True)
class Check:
    """A rule, asked of a method: ``run()`` looks.

    Attributes:
        rule: of the contract.
        subject: the method.
    """

    rule: Rule
    subject: Subject

    @property
    def name(self) -> str:
        """``rows``, ``absence``, …"""
        return self.rule.name

    @property
    def proves(self) -> str:
        """What is known of a method that passes, in one sentence."""
        paragraph = (self.rule.look.__doc__ or "").split("\n\n")[0]
        return " ".join(paragraph.split())

    def run(self) -> None:
        """Look. The global random streams are afterwards where they were before.

        Raises:
            ContractError: if the method breaks the rule.
            NotAskedError: if this cannot be found out here, for want of a GPU for instance.
        """
        with _same_streams():
            self.rule.look(self.subject)


@contextmanager
def _same_streams() -> Iterator[None]:
    numpy_state, python_state = np.random.get_state(), random.getstate()
    try:
        with torch.random.fork_rng([]):
            yield
    finally:
        np.random.set_state(numpy_state)
        random.setstate(python_state)
