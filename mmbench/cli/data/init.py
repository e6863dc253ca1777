"""``mmbench data init``: begin a dataset of one's own."""

import re
from pathlib import Path
from shlex import quote

import click

from mmbench.core.errors import MmbenchError


@click.command(short_help="Write a card file to fill in, for data of your own.")
@click.argument("folder", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Write mmbench.toml, a card file to fill in, into FOLDER, which is made if it is not there.

    An existing card file is never overwritten.
    """
    from mmbench.data.own.card import FILE
    from mmbench.data.own.template import card_text

    path = folder / FILE
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", folder.absolute().resolve().name).strip("-._") or "mydata"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(card_text(name))
    except FileExistsError:
        raise MmbenchError(f"{path if path.exists() else folder} is there already, and is left as it is") from None
    except OSError as error:
        raise MmbenchError(f"{path} cannot be written: {error.strerror or error}") from None
    place = folder.as_posix()
    place = place if folder.is_absolute() or place.split("/")[0] in (".", "..") else f"./{place}"
    click.echo(
        f"wrote {path}. Now:\n"
        f"1. put your tables (.csv, .parquet, .npz) and the files that they name into {folder}\n"
        f"2. fill in {path}: what stands in <…>, and the modalities that you have\n"
        f"3. mmbench run -d {quote(place)} -m late -m linear --protocol quick"
    )
