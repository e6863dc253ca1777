"""Houses: the price of a house, from four photographs and its attributes."""

from io import BytesIO
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmbench.data.draws import Seed, deal, stream
from mmbench.data.real import _files
from mmbench.data.real._parts import source
from mmbench.data.real.cards.features import HOUSES_OFTEN, houses
from mmbench.data.source import Source

SIZES = (321, 80, 134)
STRATA = 10  # of the price


def build(*, side: Literal[32, 48, 96] = 32, seed: Seed = 0) -> Source:
    """The dataset: images (3,S,S) of bytes, ``tabular``, and the natural logarithm of the price in dollars.

    ``tabular`` holds bedrooms, bathrooms, the logarithm of the area, and for each zip code of at least
    ten houses whether it is the house's.

    Args:
        side: S. Images are stored with 96 pixels; smaller ones are means of blocks.
        seed: of the split, stratified by tenths of the price.
    """
    task = houses(side)
    table = _files.parquet("houses", "houses_96px")
    price, zipcode = np.log(np.array(table["price"])), np.array(table["zipcode"])
    codes, count = np.unique(zipcode, return_counts=True)
    often = codes[count >= HOUSES_OFTEN]
    numbers = [np.array(table["bedrooms"]), np.array(table["bathrooms"]), np.log(np.array(table["area"]))]
    tabular = np.column_stack([*numbers, zipcode[:, None] == often])
    columns: dict[str, NDArray[Any]] = {
        **{room: _images(table[f"image_{room}"], side) for room in task.names if room != "tabular"},
        "tabular": np.round(tabular, 4).astype(np.float32),
        "target": np.round(price[:, None], 4).astype(np.float32),
    }
    strata = np.argsort(np.argsort(price, kind="stable")) * STRATA // len(price)
    parts = deal(stream(seed, "split"), strata, SIZES)
    return source(task, columns, parts)


def _images(stored: list[dict[str, bytes]], side: int) -> NDArray[np.uint8]:
    """(N,3,side,side)."""
    whole = np.stack([np.asarray(Image.open(BytesIO(each["bytes"])).convert("RGB")) for each in stored])
    block = whole.shape[1] // side
    blocks = whole.reshape(len(whole), side, block, side, block, 3).mean((2, 4))
    return np.ascontiguousarray(np.rint(blocks).astype(np.uint8).transpose(0, 3, 1, 2))
