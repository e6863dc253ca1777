"""A collection is fetched whole or not at all, once, and known to be what it should be."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from mmbench.core.errors import MmbenchError
from mmbench.data.fetch import fetch, verify
from mmbench.data.fetch.origins import Made
from mmbench.data.fetch.progress import Progress
from mmbench.data.locate import MissingFilesError, fetched, find_collection


class Heard(Progress):
    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(line)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_files_and_archives_are_fetched_and_converted(cache, table, hasty):
    for name, file in {"digits": "digits-ubyte.gz", "people": "rosmap.npz"}.items():
        folder = fetch(name, table=table, patience=hasty)
        assert folder == find_collection(name) == cache / "collections" / name
        assert names(folder) == [file]
        assert verify(name, table) == []
    with np.load(cache / "collections" / "people" / "rosmap.npz", allow_pickle=False) as arrays:
        assert arrays["label"].tolist() == [0, 1, 0, 1]


def test_downloads_are_removed_afterwards(cache, table, hasty):
    fetch("people", table=table, patience=hasty)
    assert names(cache / "downloads") == ["people.lock"]
    assert names(cache / "collections") == ["people"]


def test_what_is_there_is_said_and_not_fetched_again(cache, table, hasty, site):
    fetch("digits", table=table, patience=hasty)
    heard = Heard()
    assert fetch("digits", heard, table, hasty) == fetched("digits")
    assert "already there" in heard.lines[0]
    assert len(site.asked) == 1


def test_a_folder_of_the_user_is_taken(cache, table, hasty, site, tmp_path, monkeypatch):
    fetch("digits", table=table, patience=hasty)
    (tmp_path / "mine").mkdir()
    fetched("digits").rename(tmp_path / "mine" / "digits")
    monkeypatch.setenv("MMBENCH_DATA", str(tmp_path / "mine"))
    assert fetch("digits", table=table, patience=hasty) == tmp_path / "mine" / "digits"
    (tmp_path / "mine" / "digits" / "digits-ubyte.gz").write_bytes(b"mine")
    with pytest.raises(MmbenchError, match=r"is damaged .*unset MMBENCH_DATA"):
        fetch("digits", table=table, patience=hasty)
    assert (tmp_path / "mine" / "digits" / "digits-ubyte.gz").read_bytes() == b"mine"
    assert len(site.asked) == 1


def test_a_fetch_that_breaks_leaves_no_folder_and_goes_on(cache, table, hasty, site):
    site.faults["/digits-ubyte.gz"] = [("break", 3000), 503, 503]
    with pytest.raises(MmbenchError, match="could not be downloaded"):
        fetch("digits", table=table, patience=hasty)
    assert find_collection("digits") is None
    assert not (cache / "collections").exists()
    fetch("digits", table=table, patience=hasty)
    assert site.ranges("/digits-ubyte.gz")[-1] == "bytes=3000-"
    assert verify("digits", table) == []


def test_files_that_were_whole_are_kept_when_a_later_one_fails(cache, table, hasty, site):
    second = replace(table["digits"].origins[0], path="more-ubyte.gz", urls=(site.put("/more", b""),))
    site.files["/more"] = site.files["/digits-ubyte.gz"]
    site.faults["/more"] = [404]
    wanted = replace(table["digits"], origins=(*table["digits"].origins, second))
    with pytest.raises(MmbenchError, match=r"more-ubyte.gz could not be downloaded"):
        fetch("digits", table={"digits": wanted}, patience=hasty)
    fetch("digits", table={"digits": wanted}, patience=hasty)
    assert [path for path, _ in site.asked] == ["/digits-ubyte.gz", "/more", "/more"]


def test_a_damaged_archive_is_downloaded_anew_by_the_next_run(cache, table, hasty, site):
    site.faults["/people"] = [("wrong", site.files["/people"][:200])]
    with pytest.raises(MmbenchError, match="the next run downloads it anew"):
        fetch("people", table=table, patience=hasty)
    assert find_collection("people") is None
    fetch("people", table=table, patience=hasty)
    assert verify("people", table) == []


def test_an_archive_of_other_files_is_refused(cache, table, hasty, site, archive_of):
    site.put("/people", archive_of({"ROSMAP/1_tr.csv": b"0.25,0.5\n"}))
    with pytest.raises(MmbenchError, match=f"tree digest {table['people'].origins[0].tree}, got 1 with"):
        fetch("people", table=table, patience=hasty)
    assert find_collection("people") is None


def test_a_conversion_that_gives_something_else_is_refused(cache, table, hasty):
    other = replace(table["people"], files=(Made("rosmap.npz", "0" * 64),))
    with pytest.raises(MmbenchError, match=r"not the known data: rosmap.npz holds other content: expected 0000"):
        fetch("people", table={"people": other}, patience=hasty)
    assert find_collection("people") is None
    assert names(cache / "collections") == []


def test_a_conversion_that_gives_too_little_is_refused(cache, table, hasty):
    more = replace(table["people"], files=(*table["people"].files, Made("more.npz", "0" * 64)))
    with pytest.raises(MmbenchError, match=r"more.npz is missing"):
        fetch("people", table={"people": more}, patience=hasty)
    assert find_collection("people") is None


@pytest.mark.parametrize("damage", ["content", "truncated", "missing"])
def test_damage_is_seen_and_mended(cache, table, hasty, damage):
    file = fetch("people", table=table, patience=hasty) / "rosmap.npz"
    if damage == "content":
        np.savez(file, label=[1])
    elif damage == "truncated":
        file.write_bytes(file.read_bytes()[:100])
    else:
        file.unlink()
    (problem,) = verify("people", table)
    assert {"content": "other content", "truncated": "cannot be read", "missing": "is missing"}[damage] in problem
    heard = Heard()
    fetch("people", heard, table, hasty)
    assert verify("people", table) == []
    assert "damaged" in heard.lines[0]


def test_a_damaged_folder_stays_while_nothing_better_can_be_had(cache, table, hasty, site):
    file = fetch("people", table=table, patience=hasty) / "rosmap.npz"
    file.write_bytes(b"damaged")
    site.faults["/people"] = [404]
    with pytest.raises(MmbenchError):
        fetch("people", table=table, patience=hasty)
    assert verify("people", table) != []


def test_the_same_data_packed_otherwise_are_fine(cache, table, hasty):
    file = fetch("people", table=table, patience=hasty) / "rosmap.npz"
    with np.load(file, allow_pickle=False) as arrays:
        kept = dict(arrays)
    before = file.read_bytes()
    np.savez(file, **kept)
    assert file.read_bytes() != before
    assert verify("people", table) == []


def test_what_is_not_there_cannot_be_verified(cache, table):
    with pytest.raises(MissingFilesError, match="mmbench data fetch digits"):
        verify("digits", table)
    with pytest.raises(MmbenchError, match=r"no collection 'digit'; did you mean digits\?"):
        verify("digit", table)


def test_two_fetches_at_once_download_once(cache, table, hasty, site):
    site.faults["/digits-ubyte.gz"] = ["slow"]
    folders = []
    threads = [
        threading.Thread(target=lambda: folders.append(fetch("digits", table=table, patience=hasty))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert folders == [fetched("digits")] * 2
    assert len(site.asked) == 1
