"""``mmbench run``: plan, run what is not there yet, and show the leaderboard."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mmbench.cli.device import choose_device, device_option
from mmbench.cli.interrupts import CODE as INTERRUPTED
from mmbench.cli.interrupts import Interrupts
from mmbench.core.arithmetic import DTYPES, Arithmetic
from mmbench.core.errors import MmbenchError
from mmbench.registry import Registry, installed

if TYPE_CHECKING:  # `mmbench --help` imports this module, and must not import what it runs
    from mmbench.sweep.choices import DatasetChoice, MethodChoice
    from mmbench.sweep.local import LocalExecutor
    from mmbench.sweep.plan import Plan, Settings, Skip

FAILED = 1


@click.command(short_help="Run methods on datasets; what has run is not run again.")
@click.option("--all", "everything", is_flag=True, help="Every installed method on every dataset of the protocol.")
@click.option("-m", "--method", "methods", multiple=True, metavar="METHOD[k=v,…]", help="May be given several times.")
@click.option(
    "-d", "--dataset", "datasets", multiple=True, metavar="DATASET[k=v,…]", help="May be given several times."
)
@click.option("--protocol", default="standard", show_default=True, help="quick or standard: how cells are run.")
@click.option(
    "--augment",
    default="",
    metavar="TERMS",
    help="Of the train split: noise+mask(share=0.1); see `mmbench list terms`.",
)
@click.option("--balance", is_flag=True, help="Resample train to equal presence patterns and classes.")
@click.option("--seeds", type=click.IntRange(1), help="Seeds of each method, instead of the protocol's.")
@click.option(
    "--measures",
    default="default",
    show_default=True,
    metavar="NAMES",
    help="Beside the scores: none, or matching,robustness[draws=5]; see `mmbench list measures`.",
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("results"), show_default=True, help="Results.")
@click.option(
    "-j", "--jobs", type=click.IntRange(1), help="Workers side by side. [default: processor cores, or CUDA devices]"
)
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Of each worker, on the CPU.")
@device_option
@click.option("--dtype", type=click.Choice(DTYPES), default="float32", show_default=True, help="Of the arithmetic.")
@click.option("--compile", "compiled", is_flag=True, help="Train through torch.compile (CUDA graphs on a GPU).")
@click.option("--deterministic", is_flag=True, help="Refuse kernels that are not deterministic.")
@click.option(
    "--seeds-mode",
    type=click.Choice(["sequential", "together", "auto"]),
    help="Train a method's seeds at once where it can. [default: sequential; auto on cuda]",
)
@click.option("--timeout", type=click.FloatRange(0, min_open=True), help="Seconds for all seeds of one method.")
@click.option("--memory", metavar="SIZE", help="Of each worker with all that it starts: 2GiB, 500MB, or 4 for 4 GiB.")
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
    if not everything and not (methods or datasets):
        raise MmbenchError("say what to run: --all, or -m METHOD and -d DATASET (see `mmbench list methods`)")
    from mmbench.results.store import UnwritableError, check_writable
    from mmbench.sweep.augmentation import with_train_split
    from mmbench.sweep.local import LocalExecutor
    from mmbench.sweep.measures import choose_measures
    from mmbench.sweep.memory import read_size
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
        seeds_mode or _usual_mode(found),  # type: ignore[arg-type]  # click checks
        measures=choose_measures(installed(), measures, chosen),
    )
    workers = jobs or len(devices) or os.cpu_count() or 1
    executor = LocalExecutor(workers, threads, timeout, None if memory is None else read_size(memory), devices)
    try:
        with Interrupts(executor.kill), executor:
            choices = choose(installed(), methods, datasets, protocol)
            check_writable(out)
            well = _sweep(choices, settings, executor, dry_run, fail_fast, retry_failed)
    except KeyboardInterrupt:
        click.echo("interrupted; the same command goes on from here", err=True)
        sys.exit(INTERRUPTED)
    except UnwritableError as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)
    sys.exit(0 if well else FAILED)


def _usual_mode(device: str) -> str:
    """On a CPU seeds at once gain little or lose, as docs/speed.md measures."""
    return "auto" if device == "cuda" else "sequential"


def _sweep(
    choices: "Choices",
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


def _show(plan: "Plan", out: Path, jobs: int) -> None:
    """Intervals for what is there now, and the summary over datasets."""
    from mmbench.boards import analysis, board, terminal

    if not plan.batches:
        return
    analysis.analyse(out, jobs=jobs)
    click.echo(terminal.render_summary(board.load_boards([out], protocol=plan.batches[0].settings.protocol.name)))
