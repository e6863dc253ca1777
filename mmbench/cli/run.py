"""``mmbench run``: plan, run what is not there yet, and show the leaderboard."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mmbench.cli import options
from mmbench.cli.choices import Choices, choose, make_executor, need_choice
from mmbench.cli.device import choose_device, usual_mode
from mmbench.cli.exits import FAILED, clean_exits
from mmbench.core.arithmetic import Arithmetic
from mmbench.registry import installed

if TYPE_CHECKING:  # `mmbench --help` imports this module, and must not import what it runs
    from mmbench.sweep.local import LocalExecutor
    from mmbench.sweep.plan import Plan, Settings


@click.command(short_help="Run methods on datasets; what has run is not run again.")
@options.choosing()
@options.train_split("Of the train split: noise+mask(share=0.1); see `mmbench list terms`.")
@click.option("--seeds", type=click.IntRange(1), help="Seeds of each method, instead of the protocol's.")
@click.option(
    "--measures",
    default="default",
    show_default=True,
    metavar="NAMES",
    help="Beside the scores: none, or matching,robustness[draws=5]; see `mmbench list measures`.",
)
@options.out
@options.jobs
@options.computing
@click.option("--compile", "compiled", is_flag=True, help="Train through torch.compile (CUDA graphs on a GPU).")
@options.deterministic
@options.seeds_mode
@options.timeout("all seeds of one method")
@options.memory
@click.option("--dry-run", is_flag=True, help="Show the plan and train nothing; data are made if need be.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first cell that fails.")
@click.option("--retry-failed", is_flag=True, help="Run cells again that have failed before.")
def run(
    everything: bool,
    methods: tuple[str, ...],
    datasets: tuple[str, ...],
    protocol: str,
    augment: str,
    balance: bool,
    seeds: int | None,
    measures: str,
    out: Path,
    jobs: int | None,
    threads: int,
    device: str,
    dtype: str,
    compiled: bool,
    deterministic: bool,
    seeds_mode: str | None,
    timeout: float | None,
    memory: str | None,
    dry_run: bool,
    fail_fast: bool,
    retry_failed: bool,
) -> None:
    """Run methods on datasets and show how they compare.

    A cell is one method on one dataset under one seed. Its result is a file below --out; a cell
    whose result exists is not run again, so an interrupted run goes on where it was.

    Exit codes: 0 all well, 1 a cell failed or results cannot be written, 2 wrong usage, 130
    interrupted. Ctrl-C stops cleanly; a second one at once.
    """
    need_choice(everything, methods, datasets, "run")
    from mmbench.results.store import check_writable
    from mmbench.sweep.augmentation import with_train_split
    from mmbench.sweep.measures import choose_measures
    from mmbench.sweep.plan import Settings
    from mmbench.sweep.protocol import find_protocol

    chosen = with_train_split(find_protocol(protocol), installed(), augment, balance)
    found, devices = choose_device(device, dtype)
    arithmetic = Arithmetic(found, dtype, threads, compiled, deterministic)  # type: ignore[arg-type]  # click checks
    settings = Settings(
        out,
        chosen,
        tuple(range(seeds or chosen.seeds)),
        arithmetic,
        seeds_mode or usual_mode(found),  # type: ignore[arg-type]  # click checks
        measures=choose_measures(installed(), measures, chosen),
    )
    executor = make_executor(jobs, threads, timeout, memory, devices)
    with clean_exits(executor):
        choices = choose(installed(), methods, datasets, protocol)
        check_writable(out)
        well = _sweep(choices, settings, executor, dry_run, fail_fast, retry_failed)
    sys.exit(0 if well else FAILED)


def _sweep(
    choices: Choices,
    settings: "Settings",
    executor: "LocalExecutor",
    dry_run: bool,
    fail_fast: bool,
    retry_failed: bool,
) -> bool:
    """Plan, run and show. Whether every cell has a score (of a dry run: whether all data could be made)."""
    from mmbench.cli.progress import make_observer, plan_text, summary_text
    from mmbench.results.store import UnwritableError
    from mmbench.sweep.dispatch import FailedFastError, run_sweep
    from mmbench.sweep.run import Summary, plan_sweep

    summary = Summary()
    with make_observer(sys.stderr) as observer:
        try:
            summary = plan_sweep(choices.methods, choices.datasets, settings, executor, observer)
            if not dry_run:
                run_sweep(summary, executor, observer, fail_fast=fail_fast, retry_failed=retry_failed)
        except FailedFastError:
            observer.say("stopped at the first failure (--fail-fast)")
        except (KeyboardInterrupt, UnwritableError):
            observer.say(summary_text(summary, choices.left_out))
            raise
    if dry_run:
        click.echo(plan_text(summary.plan, [*choices.left_out, *summary.broken]))
        return not summary.broken
    try:
        _show(summary.plan, settings.out, executor.workers)
    finally:
        click.echo(summary_text(summary, choices.left_out), err=True)
    return summary.well


def _show(plan: "Plan", out: Path, jobs: int) -> None:
    """Intervals for what is there now, and the summary over datasets."""
    from mmbench.boards import analysis, board, terminal

    if not plan.batches:
        return
    analysis.analyse(out, jobs=jobs)
    click.echo(terminal.render_summary(board.load_boards([out], protocol=plan.batches[0].settings.protocol.name)))
    where = "" if out == options.RESULTS else f" {out}"
    click.echo(f"\n`mmbench board{where}` shows each dataset with intervals, ranks and measures.")
