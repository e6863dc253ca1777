"""Houses: four photographs of each, made small, beside its attributes and price."""

import io
from pathlib import Path

from mmbench.core.errors import MmbenchError
from mmbench.data.fetch.convert.tables import files_type, write_table

ROOMS = ("frontal", "bedroom", "bathroom", "kitchen")
SIDE = 96  # pixels
QUALITY = 90  # of JPEG


def convert(raw: Path, out: Path) -> None:
    """``Houses Dataset/<house>_<room>.jpg`` and ``HousesInfo.txt`` (bedrooms, bathrooms, area, zipcode, price)."""
    import pyarrow as pa

    folder = raw / "Houses Dataset"
    lines = (folder / "HousesInfo.txt").read_text(encoding="utf-8").split("\n")
    rows = [line.split() for line in lines if line.strip()]
    if any(len(row) != 5 for row in rows):
        raise MmbenchError("HousesInfo.txt does not hold five numbers a line")
    houses = range(1, len(rows) + 1)
    bedrooms, bathrooms, area, zipcode, price = zip(*rows, strict=True)
    columns = {
        "house_id": pa.array(houses, pa.int16()),
        "bedrooms": pa.array(map(float, bedrooms), pa.float32()),
        "bathrooms": pa.array(map(float, bathrooms), pa.float32()),
        "area": pa.array(map(float, area), pa.float32()),
        "zipcode": pa.array(map(int, zipcode), pa.int32()),
        "price": pa.array(map(float, price), pa.float32()),
    }
    for room in ROOMS:
        names = [f"{house}_{room}.jpg" for house in houses]
        images = [{"bytes": _small(folder / name), "path": name} for name in names]
        columns[f"image_{room}"] = pa.array(images, files_type())
    write_table(columns, out / "houses_96px.parquet")


def _small(path: Path) -> bytes:
    """The picture at ``SIDE`` × ``SIDE`` as JPEG; its proportions are not kept.

    The two directions are scaled one after the other: in one call the order, and with it some pixels, would
    depend on the version of Pillow.
    """
    from PIL import Image

    file = io.BytesIO()
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    for size in (_between(*picture.size), (SIDE, SIDE)):
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    picture.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def _between(width: int, height: int) -> tuple[int, int]:
    """Size after the first step: the width first, unless to begin with the height is less work by a tenth.

    With this order the pixels are those of the file that $MMBENCH_DATA may have.
    """
    width_first, height_first = height * (width + SIDE), width * (height + SIDE)
    return (width, SIDE) if width_first > 1.1 * height_first else (SIDE, height)
