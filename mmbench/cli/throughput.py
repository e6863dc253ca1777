"""``mmbench throughput``: how fast methods train and predict, one after the other."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mmbench.cli import options
from mmbench.cli.choices import Choices, choose, need_choice
from mmbench.cli.device import choose_device
from mmbench.cli.exits import FAILED, clean_exits
from mmbench.core.arithmetic import Arithmetic
from mmbench.registry import installed

if TYPE_CHECKING:  # `mmbench --help` imports this module, and must not import what it runs
    from mmbench.throughput.run import Summary, ThroughputExecutor


@click.command(short_help="Time steps of training and inference, one method after the other.")
@options.choosing(protocol="of the data")
@options.out
@options.computing
@click.option("--compile", "compiled", is_flag=True, help="Training steps go through torch.compile, as in a run.")
@click.option("--steps", type=click.IntRange(1), default=50, show_default=True, help="Timed at each batch, at least.")
@click.option(
    "--seconds", type=click.FloatRange(0), default=1.0, show_default=True, help="Of timing each batch, at least."
)
@options.timeout("a method", default=900)
@click.option(
    "--memory", metavar="SIZE", help="That a batch may take on a CPU: 2GiB, 500MB. [default: half of what is free]"
)
@click.option("--again", is_flag=True, help="Measure anew what there is a record of, and what has failed.")
def throughput(
    everything: bool,
    methods: tuple[str, ...],
    datasets: tuple[str, ...],
    protocol: str,
    out: Path,
    threads: int,
    device: str,
    dtype: str,
    compiled: bool,
    steps: int,
    seconds: float,
    timeout: float,
    memory: str | None,
    again: bool,
) -> None:
    """Measure how fast methods train and predict.

    At batches of 1, 32, 256 and the largest that fits: samples a second, latency, share of the peak of
    the device, memory, energy where it is known. Nothing should run beside it: methods are measured one
    after the other, each in a process of its own. A record a method, below --out/throughput; what was
    measured is not measured again.

    Exit codes: 0 all well, 1 a method has no figures or records cannot be written, 2 wrong usage, 130
    interrupted.
    """
    need_choice(everything, methods, datasets, "measure")
    from mmbench.results.store import check_writable
    from mmbench.sweep.memory import read_size
    from mmbench.throughput.run import ThroughputExecutor
    from mmbench.throughput.worker import Order

    found, devices = choose_device(device, dtype)
    arithmetic = Arithmetic(found, dtype, threads, compiled)  # type: ignore[arg-type]  # click checks
    order = Order(out, steps, seconds, None if memory is None else read_size(memory))
    executor = ThroughputExecutor(arithmetic, order, timeout, devices)
    with clean_exits(executor):
        choices = choose(installed(), methods, datasets, protocol)
        check_writable(out)
        summary = _measure(choices, arithmetic, executor, protocol, again)
    sys.exit(0 if summary.well else FAILED)


def _measure(
    choices: Choices, arithmetic: Arithmetic, executor: "ThroughputExecutor", protocol: str, again: bool
) -> "Summary":
    """Measure, and show the tables of what was asked for."""
    from mmbench.cli.progress import Lines
    from mmbench.sweep.plan import Settings
    from mmbench.sweep.protocol import find_protocol
    from mmbench.throughput.run import measure_all
    from mmbench.throughput.table import tables_text

    lines = Lines(sys.stderr)
    settings = Settings(executor.order.out, find_protocol(protocol), (0,), arithmetic, exclusive=True)
    summary = measure_all(choices.methods, choices.datasets, settings, executor, lines, lines.say, again=again)
    if summary.records:
        click.echo(tables_text(summary.records))
    for skip in [*choices.left_out, *summary.skipped, *summary.broken]:
        lines.say(f"left out: {skip.method or 'every method'} on {skip.dataset}: {skip.reason}")
    failed = sum(not record.ok for record in summary.records)
    lines.say(f"{len(summary.records)} records, {summary.kept} of them done before; {failed} without figures")
    return summary
