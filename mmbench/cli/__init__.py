"""The command line: verbs that parse, call and print. A verb's module is imported when it is used."""

import click

from mmbench import __version__
from mmbench.cli.verbs import Verbs

VERBS = {
    "run": "mmbench.cli.run:run",
    "tune": "mmbench.cli.tune:tune",
    "throughput": "mmbench.cli.throughput:throughput",
    "board": "mmbench.cli.board:board",
    "plot": "mmbench.cli.plot:plot",
    "results": "mmbench.cli.results:results",
    "list": "mmbench.cli.listing:listing",
    "data": "mmbench.cli.data:data",
    "info": "mmbench.cli.info:info",
}


@click.group(cls=Verbs, verbs=VERBS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="mmbench")
def main() -> None:
    """Compare multimodal fusion methods on standardized datasets.

    \b
    mmbench run --all --protocol quick   run everything that is installed, in minutes
    mmbench run -m late -d avdigits      one method on one dataset, 5 seeds
    mmbench list methods                 what there is
    mmbench board                        the leaderboards of what has run
    """
