"""The digest of content: the same for the same data however they are packed, another for any other."""

import gzip
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from mmbench.core.errors import MmbenchError
from mmbench.data.fetch.content import content_digest, file_digest


def npz(path, compress=True, **arrays):
    (np.savez_compressed if compress else np.savez)(path, **arrays)
    return content_digest(path)


def test_arrays_count_and_not_how_they_are_packed(tmp_path):
    a, b = np.arange(6.0).reshape(2, 3), np.array(["x", "yy"])
    same = npz(tmp_path / "1.npz", a=a, b=b)
    assert npz(tmp_path / "2.npz", False, b=b, a=np.asfortranarray(a)) == same
    assert npz(tmp_path / "3.npz", a=a.astype(">f8"), b=b) == same
    others = [
        npz(tmp_path / "4.npz", a=a.reshape(3, 2), b=b),
        npz(tmp_path / "5.npz", a=a.astype(np.float32), b=b),
        npz(tmp_path / "6.npz", a=a + (a == 5), b=b),
        npz(tmp_path / "7.npz", c=a, b=b),
        npz(tmp_path / "8.npz", a=a),
    ]
    assert len({same, *others}) == 6


def parquet(path, rows=None, **columns):
    pq.write_table(pa.table(columns), path, row_group_size=rows, compression="zstd" if rows else "none")
    return content_digest(path)


def test_columns_count_and_not_how_they_are_packed(tmp_path):
    numbers, words = pa.array([1, 2, 3], pa.int16()), pa.array(["a", "", "bc"])
    flags = pa.array([True, False, True])
    same = parquet(tmp_path / "1.parquet", n=numbers, w=words, f=flags)
    assert parquet(tmp_path / "2.parquet", rows=2, f=flags, w=words, n=numbers) == same
    others = [
        parquet(tmp_path / "3.parquet", n=numbers.cast(pa.int32()), w=words, f=flags),
        parquet(tmp_path / "4.parquet", n=numbers, w=pa.array(["a", "b", "c"]), f=flags),
        parquet(tmp_path / "5.parquet", n=numbers.take(pa.array([1, 0, 2])), w=words, f=flags),
        parquet(tmp_path / "6.parquet", n=numbers, w=words, f=pa.array([True, True, True])),
    ]
    assert len({same, *others}) == 5


def picture(colour, **options):
    file = io.BytesIO()
    Image.new("RGB", (16, 16), colour).save(file, "JPEG", **options)
    return file.getvalue()


def files(path, *contents):
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    return parquet(path, audio=pa.array([{"bytes": content, "path": "a"} for content in contents], kind))


def test_pictures_count_by_their_pixels(tmp_path):
    plain, commented = picture("red"), picture("red", comment=b"made elsewhere")
    assert plain != commented
    same = files(tmp_path / "1.parquet", plain)
    assert files(tmp_path / "2.parquet", commented) == same
    assert files(tmp_path / "3.parquet", picture("blue")) != same
    assert files(tmp_path / "4.parquet", b"RIFF1") != files(tmp_path / "5.parquet", b"RIFF2")


def test_what_gzip_holds_counts_and_its_header_does_not(tmp_path):
    for number, stamp in enumerate((0, 848331386)):
        (tmp_path / f"{number}-ubyte.gz").write_bytes(gzip.compress(b"idx", mtime=stamp))
    paths = [tmp_path / "0-ubyte.gz", tmp_path / "1-ubyte.gz"]
    assert content_digest(paths[0]) == content_digest(paths[1])
    assert file_digest(paths[0]) != file_digest(paths[1])


def test_other_files_count_by_their_bytes(tmp_path):
    (tmp_path / "licence.txt").write_bytes(b"free")
    assert content_digest(tmp_path / "licence.txt") == file_digest(tmp_path / "licence.txt")


@pytest.mark.parametrize("name", ["a.npz", "a.parquet", "a-ubyte.gz"])
@pytest.mark.parametrize("damage", [lambda content: content[: len(content) // 2], lambda content: b"none of it"])
def test_damaged_files_are_told(tmp_path, name, damage):
    path = tmp_path / name
    if name == "a.npz":
        np.savez_compressed(path, a=np.random.default_rng(0).normal(size=999))
    elif name == "a.parquet":
        pq.write_table(pa.table({"a": list(range(999))}), path)
    else:
        path.write_bytes(gzip.compress(bytes(range(256))))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(MmbenchError, match="cannot be read"):
        content_digest(path)


def test_pickles_are_never_read(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.array([{"a": 1}], object))
    with pytest.raises(MmbenchError, match="cannot be read"):
        content_digest(tmp_path / "a.npz")


def test_rows_that_are_null_are_refused(tmp_path):
    with pytest.raises(MmbenchError, match="1 rows that are null"):
        parquet(tmp_path / "a.parquet", a=pa.array([1, None]))
