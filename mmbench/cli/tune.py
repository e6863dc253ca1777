"""``mmbench tune``: the same budget of trials for every method, then rows of what was best on validation."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mmbench.cli import options
from mmbench.cli.choices import Choices, choose, make_executor, need_choice
from mmbench.cli.device import choose_device, usual_mode
from mmbench.cli.exits import FAILED, clean_exits
from mmbench.core.arithmetic import Arithmetic
from mmbench.core.errors import MmbenchError
from mmbench.registry import Registry, installed

if TYPE_CHECKING:  # `mmbench --help` imports this module, and must not import what it runs
    from mmbench.sweep.local import LocalExecutor
    from mmbench.sweep.plan import Settings
    from mmbench.sweep.tune.study import Budget

TRIALS = 20
SAMPLERS = ("random", "tpe")


@click.command(short_help="Search every method's hyper-parameters with one budget, on validation.")
@options.choosing(method="What is set is not searched.")
@click.option(
    "--trials", type=click.IntRange(1), default=TRIALS, show_default=True, help="Of each method on each dataset."
)
@click.option("--sampler", type=click.Choice(SAMPLERS), default="random", show_default=True, help="What chooses them.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the search.")
@options.train_split()
@click.option("--seeds", type=click.IntRange(1), help="Seeds of the tuned rows, instead of the protocol's.")
@options.out
@options.jobs
@options.computing
@options.deterministic
@options.seeds_mode
@options.timeout("a trial, and for all seeds of a tuned row")
@options.memory
@click.option("--dry-run", is_flag=True, help="Show what would be searched, and train nothing.")
@click.option("--retry-failed", is_flag=True, help="Run trials and seeds again that have failed before.")
def tune(
    everything: bool,
    methods: tuple[str, ...],
    datasets: tuple[str, ...],
    trials: int,
    sampler: str,
    seed: int,
    protocol: str,
    augment: str,
    balance: bool,
    seeds: int | None,
    out: Path,
    jobs: int | None,
    threads: int,
    device: str,
    dtype: str,
    deterministic: bool,
    seeds_mode: str | None,
    timeout: float | None,
    memory: str | None,
    dry_run: bool,
    retry_failed: bool,
) -> None:
    """Search hyper-parameters of methods, and run what was best under all seeds.

    Every method gets the same number of trials on each dataset. A trial is judged on the validation
    split alone; the first is the default configuration. The best trial's values are then run as a row
    of its own, which boards rank among rows of the same budget. What has run is not run again.

    Exit codes: 0 all well, 1 a tuned row has no score, 2 wrong usage, 130 interrupted.
    """
    need_choice(everything, methods, datasets, "tune")
    from mmbench.results.store import check_writable
    from mmbench.sweep.augmentation import with_train_split
    from mmbench.sweep.plan import Settings
    from mmbench.sweep.protocol import find_protocol
    from mmbench.sweep.tune.sampling import optuna
    from mmbench.sweep.tune.study import Budget

    optuna()  # before anything is made
    chosen = with_train_split(find_protocol(protocol), installed(), augment, balance)
    found, devices = choose_device(device, dtype)
    arithmetic = Arithmetic(found, dtype, threads, False, deterministic)  # type: ignore[arg-type]  # click checks
    mode = seeds_mode or usual_mode(found)
    settings = Settings(out, chosen, tuple(range(seeds or chosen.seeds)), arithmetic, mode)  # type: ignore[arg-type]
    budget = Budget(trials, sampler, seed)  # type: ignore[arg-type]  # click checks
    executor = make_executor(jobs, threads, timeout, memory, devices)
    with clean_exits(executor):
        choices = choose(installed(), methods, datasets, protocol)
        fixed = fixed_by_user(installed(), methods)
        if not dry_run:
            check_writable(out)
        well = _tune(choices, fixed, settings, budget, executor, dry_run, retry_failed)
    sys.exit(0 if well else FAILED)


def fixed_by_user(registry: Registry, methods: Sequence[str]) -> dict[str, dict[str, object]]:
    """{spec: what its brackets set to the default}: a spec leaves it out, and a search leaves it alone.

    Raises:
        MmbenchError: if two of the methods differ in nothing else, so that their trials would be the same row.
    """
    from mmbench.core.spec import parse_spec
    from mmbench.registry import load
    from mmbench.sweep.choices import builder_parameters, choose_method

    fixed: dict[str, dict[str, object]] = {}
    for text in methods:
        choice, names = choose_method(registry, text), set(parse_spec(text).parameters)
        declared = builder_parameters(load(choice.card), text) if names else {}
        kept = {name: declared[name].default for name in sorted(names - set(choice.parameters)) if name in declared}
        if fixed.setdefault(str(choice.spec), kept) != kept:
            raise MmbenchError(f"{text}: its default configuration is also that of another -m; tune them one at a time")
    return fixed


def _tune(
    choices: Choices,
    fixed: dict[str, dict[str, object]],
    settings: "Settings",
    budget: "Budget",
    executor: "LocalExecutor",
    dry_run: bool,
    retry_failed: bool,
) -> bool:
    """Search, run what was found, and show it. Whether every row has a score."""
    from mmbench.cli.progress import make_observer, summary_text
    from mmbench.cli.searches import TrialLines, budget_line, found_text, space_text
    from mmbench.sweep.dispatch import run_sweep
    from mmbench.sweep.run import Summary, plan_sweep
    from mmbench.sweep.tune.search import make_search, rows_of, run_trials

    with TrialLines(sys.stderr) as trials:
        planned = plan_sweep(choices.methods, choices.datasets, settings, executor, trials)
        search = make_search(planned.plan, budget, fixed)
        left_out = [*choices.left_out, *planned.plan.skipped, *planned.broken]
        if not planned.plan.batches:
            reasons = ", ".join(dict.fromkeys(f"{skip.method or skip.dataset} {skip.reason}" for skip in left_out))
            raise MmbenchError(f"there is nothing to tune: {reasons}")
        if dry_run:
            click.echo(space_text(search, left_out))
            return not planned.broken
        trials.expect(len(search.studies) * budget.trials)
        trials.say(budget_line(search))
        run_trials(search, executor, trials, retry_failed)
    plan = rows_of(search, planned.plan.skipped)
    summary = Summary(plan, broken=planned.broken)
    try:
        with make_observer(sys.stderr) as observer:
            observer.planned(plan)
            run_sweep(summary, executor, observer, retry_failed=retry_failed)
        _show(settings, executor.workers)
    finally:
        if search.studies:
            click.echo(found_text(search), err=True)
        click.echo(summary_text(summary, choices.left_out), err=True)
    return summary.well and not search.failed


def _show(settings: "Settings", jobs: int) -> None:
    """Intervals for what is there now, and the summaries over datasets, one a budget."""
    from mmbench.boards import analysis, board, terminal

    analysis.analyse(settings.out, jobs=jobs)
    click.echo(terminal.render_summary(board.load_boards([settings.out], protocol=settings.protocol.name)))
