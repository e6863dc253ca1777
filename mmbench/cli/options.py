"""Options that several verbs have, in words of one place."""

from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import click

from mmbench.cli.device import device_option
from mmbench.core.arithmetic import DTYPES

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]
TWICE = "May be given several times."
RESULTS = Path("results")


def options(*each: Decorator) -> Decorator:
    """Several options as one decorator; help shows them in this order."""
    return lambda command: reduce(lambda decorated, option: option(decorated), reversed(each), command)


def choosing(method: str = TWICE, protocol: str = "how cells are run") -> Decorator:
    """``--all``, ``-m``, ``-d`` and ``--protocol``, which ``choose`` reads.

    Args:
        method: help of ``-m``.
        protocol: what a protocol says to this verb.
    """
    return options(
        click.option(
            "--all", "everything", is_flag=True, help="Every installed method on every dataset of the protocol."
        ),
        click.option("-m", "--method", "methods", multiple=True, metavar="METHOD[k=v,…]", help=method),
        click.option("-d", "--dataset", "datasets", multiple=True, metavar="DATASET[k=v,…]", help=TWICE),
        click.option("--protocol", default="standard", show_default=True, help=f"quick or standard: {protocol}."),
    )


def train_split(augment: str = "Of the train split, as in `mmbench run`.") -> Decorator:
    """``--augment`` and ``--balance``, which ``with_train_split`` reads.

    Args:
        augment: help of ``--augment``.
    """
    return options(
        click.option("--augment", default="", metavar="TERMS", help=augment),
        click.option("--balance", is_flag=True, help="Resample train to equal presence patterns and classes."),
    )


out = click.option("--out", type=click.Path(path_type=Path), default=RESULTS, show_default=True, help="Results.")
jobs = click.option(
    "-j", "--jobs", type=click.IntRange(1), help="Workers side by side. [default: processor cores, or CUDA devices]"
)
threads = click.option(
    "--threads", type=click.IntRange(1), default=1, show_default=True, help="Of each worker, on the CPU."
)
dtype = click.option(
    "--dtype", type=click.Choice(DTYPES), default="float32", show_default=True, help="Of the arithmetic."
)
computing = options(threads, device_option, dtype)
deterministic = click.option("--deterministic", is_flag=True, help="Refuse kernels that are not deterministic.")
seeds_mode = click.option(
    "--seeds-mode",
    type=click.Choice(["sequential", "together", "auto"]),
    help="Train a method's seeds at once where it can. [default: sequential; auto on cuda]",
)
memory = click.option(
    "--memory", metavar="SIZE", help="Of each worker with all that it starts: 2GiB, 500MB, or 4 for 4 GiB."
)


def timeout(of: str, default: float | None = None) -> Decorator:
    """``--timeout``.

    Args:
        of: what may take so many seconds.
        default: None is no limit.
    """
    return click.option(
        "--timeout",
        type=click.FloatRange(0, min_open=True),
        default=default,
        show_default=default is not None,
        help=f"Seconds for {of}.",
    )
