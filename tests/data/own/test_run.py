"""``mmbench run -d ./mydata``: in a worker, on the board, and once."""

import io

import numpy as np
import pytest
from PIL import Image

CARD = """
name = "mine"
target = "label"
[task]
kind = "classification"
classes = ["cat", "dog"]
[split]
table = "t.csv"
validation = 0.25
test = 0.25
[modalities.photo]
kind = "image"
file = "photo"
[modalities.number]
kind = "vector"
column = "number"
"""
HUB = CARD.replace('"mine"', '"hubbed"').replace('"t.csv"', '"train"').replace('file = "photo"', 'column = "image"')
WORDS = ("-m", "late", "--seeds", "1", "--protocol", "quick", "-j", "1")


def png(seed):
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 100, (6, 6, 3), dtype=np.uint8) + 100 * np.uint8(seed % 2)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def data(lay):
    rows = 80
    labels = ["cat", "dog"] * (rows // 2)
    photos = {f"{row}.png": png(row) for row in range(rows) if row % 5}
    names = [f"{row}.png" if row % 5 else "" for row in range(rows)]
    return lay(CARD, {"t.csv": {"photo": names, "number": range(rows), "label": labels}, **photos})


def said(done):
    return " ".join((done.stdout + done.stderr).split())


@pytest.mark.slow
def test_a_folder_runs_once_and_again_when_its_content_changes(mmbench, data):
    first = mmbench("run", "-d", "./mydata", *WORDS)
    assert first.returncode == 0, said(first)
    assert "1 ok; 0 done before" in said(first)
    board = said(mmbench("board", "-d", "mine"))
    assert "photo (image 3×6×6), number (vector 1)" in board
    assert "40 train, 20 validation, 20 test" in board
    assert "1 done before" in said(mmbench("run", "-d", "./mydata", *WORDS))
    (data / "1.png").touch()  # another time, the same content
    assert "1 done before" in said(mmbench("run", "-d", "mydata/mmbench.toml", *WORDS))
    (data / "1.png").write_bytes(png(1001))
    assert "1 ok; 0 done before" in said(mmbench("run", "-d", "./mydata", *WORDS))


@pytest.mark.slow
def test_a_folder_of_the_hub_runs(mmbench, folder):
    (folder / "train").mkdir()
    lines = ["file_name,number,label"]
    for row in range(40):
        (folder / "train" / f"{row}.png").write_bytes(png(row))
        lines.append(f"{row}.png,{row},{['cat', 'dog'][row % 2]}")
    (folder / "train" / "metadata.csv").write_text("\n".join(lines) + "\n")
    (folder / "mmbench.toml").write_text(HUB)
    done = mmbench("run", "-d", "hf:./mydata", *WORDS)
    assert done.returncode == 0, said(done)
    assert "image 3×6×6" in said(mmbench("board", "-d", "hubbed"))
    assert "1 done before" in said(mmbench("run", "-d", "hf:./mydata", *WORDS))


@pytest.mark.slow
def test_mistakes_are_told_without_a_traceback(mmbench, data):
    (data / "3.png").unlink()
    missing = mmbench("run", "-d", "./mydata", *WORDS)
    assert missing.returncode == 1
    assert "t.csv, column 'photo', row 3: there is no file 3.png" in said(missing)
    (data / "mmbench.toml").write_text(CARD.replace("target =", "tagret ="))
    wrong = mmbench("run", "-d", "./mydata", *WORDS)
    assert wrong.returncode == 2
    assert "there is no key 'tagret'; did you mean target" in said(wrong)
    assert "Traceback" not in said(missing) + said(wrong)


def test_an_installed_name_is_refused(mmbench, data):
    (data / "mmbench.toml").write_text(CARD.replace('"mine"', '"avdigits"'))
    done = mmbench("run", "-d", "./mydata", *WORDS)
    assert done.returncode == 2
    assert "'avdigits' is that of an installed dataset" in said(done)
