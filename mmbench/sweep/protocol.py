"""Protocols: how a cell is run and measured. The name and version stand in every result."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mmbench.core.errors import MmbenchError, did_you_mean


@dataclass(frozen=True)
class Protocol:
    """How cells are run.

    Args:
        name: as users give it.
        version: raised when results of the two would not be comparable.
        summary: one line.
        seeds: trainings of each method that is not deterministic.
        training: options set for every fusion model, over the dataset's.
        augment: terms that change the train split's inputs, for every fusion model, as in ``loss=``:
            ``noise(scale=0.1)+modality-dropout(p=0.2)``, in the order in which they act.
        balance: whether every method is given a train split of equal presence patterns and classes.
    """

    name: str
    version: int
    summary: str
    seeds: int
    training: Mapping[str, object] = field(default_factory=dict)
    augment: str = ""
    balance: bool = False


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol("quick", 1, "small train splits, 2 seeds: minutes; for a first look, not for claims", seeds=2),
        Protocol("standard", 1, "full train splits, 5 seeds: the leaderboards", seeds=5),
    )
}


def find_protocol(name: str) -> Protocol:
    """The protocol of that name.

    Raises:
        MmbenchError: if there is none.
    """
    if name not in PROTOCOLS:
        raise MmbenchError(f"there is no protocol {name!r}; {did_you_mean(name, PROTOCOLS)}")
    return PROTOCOLS[name]
