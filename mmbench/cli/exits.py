"""How a verb that runs work ends: exit codes, and what is said."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from mmbench.cli.interrupts import CODE as INTERRUPTED
from mmbench.cli.interrupts import Interrupts

if TYPE_CHECKING:  # `mmbench --help` imports this module, and must not import what runs cells
    from mmbench.sweep.local import LocalExecutor

FAILED = 1


@contextmanager
def clean_exits(executor: "LocalExecutor") -> Iterator[None]:
    """Workers end with the body, whatever ends it. Where that is an interrupt, or a folder of results that
    cannot be written to, the command leaves with one line and its exit code."""
    from mmbench.results.store import UnwritableError

    try:
        with Interrupts(executor.kill), executor:
            yield
    except KeyboardInterrupt:
        click.echo("interrupted; the same command goes on from here", err=True)
        sys.exit(INTERRUPTED)
    except UnwritableError as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)
