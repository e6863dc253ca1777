"""``mmbench data``: the datasets' files, and what is in them."""

import click

from mmbench.cli.verbs import Verbs

VERBS = {
    "list": "mmbench.cli.data.listing:listing",
    "info": "mmbench.cli.data.info:info",
    "fetch": "mmbench.cli.data.fetch:fetch",
    "verify": "mmbench.cli.data.verify:verify",
    "path": "mmbench.cli.data.path:path",
    "check": "mmbench.cli.data.check:check",
    "init": "mmbench.cli.data.init:init",
}


@click.group("data", cls=Verbs, verbs=VERBS, short_help="Datasets: fetch, verify, look into, make your own.")
def data() -> None:
    """Datasets: where their files are, what is in them, and how to bring your own."""
