"""``mmbench plot``: pictures from result files alone."""

from pathlib import Path

import click

from mmbench.cli.options import RESULTS
from mmbench.core.errors import MmbenchError

KINDS = ("robustness", "predicted", "reliability", "contribution", "missing", "pareto", "matching")
FORMATS = ("png", "svg")


@click.command(short_help="Pictures of what was measured: PNG or SVG.")
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("-k", "--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="[default: all]")
@click.option("--protocol", help="Of this protocol alone.")
@click.option("-d", "--dataset", help="Of this dataset alone.")
@click.option("-m", "--method", "methods", multiple=True, metavar="METHOD", help="To be shown. [default: a few]")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("pictures"),
    show_default=True,
    help="Folder of the pictures.",
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="png", show_default=True)
def plot(
    folders: tuple[Path, ...],
    kinds: tuple[str, ...],
    protocol: str | None,
    dataset: str | None,
    methods: tuple[str, ...],
    out: Path,
    form: str,
) -> None:
    """Draw what was measured of the results in FOLDERS (by default ./results).

    A picture is one dataset and one idea: how a score falls under corruption (robustness) and what theory
    says of it (predicted), whether probabilities are frequencies (reliability), what each modality brings
    (contribution), how a score falls without some (missing), score against throughput (pareto), how far
    encodings find each other (matching). Nothing is run.

    Without -m it shows late fusion, the best floor and the best methods, six at most.
    """
    from mmbench.plots.paper import matplotlib
    from mmbench.plots.plot import plot as draw

    matplotlib()  # before anything is read
    plotted = draw(
        folders or (RESULTS,),
        out,
        kinds=kinds,
        protocol=protocol,
        dataset=dataset,
        methods=methods,
        form=form,  # type: ignore[arg-type]  # click checks
    )
    for path in plotted.paths:
        click.echo(path)
    for sentence in plotted.sentences:
        click.echo(sentence, err=True)
    if not plotted.paths:
        raise MmbenchError("there is nothing to draw; take measures first: `mmbench run … --measures default`")
