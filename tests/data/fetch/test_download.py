"""Downloads end with the right bytes under the name, or with nothing there and a reason."""

from hashlib import sha256

import pytest

from mmbench.core.errors import MmbenchError
from mmbench.data.fetch.download import Patience, Wanted, download
from mmbench.data.fetch.progress import Progress

CONTENT = bytes(range(256)) * 400
SIZE = len(CONTENT)
DIGEST = sha256(CONTENT).hexdigest()


@pytest.fixture
def wanted(tmp_path):
    """``wanted(url, …)``: the content, to be kept in a folder that is not there yet."""

    def make(*urls, digest=DIGEST, size=SIZE):
        return Wanted(urls, tmp_path / "kept" / "file.bin", digest, size)

    return make


def left(wanted):
    """Names in the folder."""
    return sorted(path.name for path in wanted.path.parent.iterdir())


class Heard(Progress):
    def __init__(self):
        self.lines, self.steps, self.totals = [], [], []

    def say(self, line):
        self.lines.append(line)

    def begin(self, name, total):
        self.totals.append(total)

    def at(self, done):
        self.steps.append(done)


def test_a_file_is_there_with_its_bytes_and_nothing_beside_it(site, wanted, hasty):
    file, heard = wanted(site.put("/a", CONTENT)), Heard()
    download(file, heard, hasty)
    assert file.path.read_bytes() == CONTENT
    assert left(file) == ["file.bin"]
    assert heard.totals == [len(CONTENT)]
    assert heard.steps == sorted(heard.steps)
    assert heard.steps[-1] == len(CONTENT)


def test_what_is_there_is_not_downloaded_again(site, wanted, hasty):
    file = wanted(site.put("/a", CONTENT))
    for _ in range(2):
        download(file, patience=hasty)
    assert len(site.asked) == 1
    file.path.write_bytes(b"changed")
    download(file, patience=hasty)
    assert file.path.read_bytes() == CONTENT


def test_a_download_that_breaks_goes_on_where_it_stopped(site, wanted, hasty):
    file = wanted(site.put("/a", CONTENT, ("break", 1000), ("break", 500)))
    download(file, patience=hasty)
    assert file.path.read_bytes() == CONTENT
    assert site.ranges("/a") == [None, "bytes=1000-", "bytes=1500-"]


def test_a_later_run_goes_on_too(site, wanted, hasty):
    file = wanted(site.put("/a", CONTENT, ("break", 3000), 503, 503))
    with pytest.raises(MmbenchError, match="503"):
        download(file, patience=hasty)
    assert left(file) == ["file.bin.part", "file.bin.part.from"]
    download(file, patience=hasty)
    assert file.path.read_bytes() == CONTENT
    assert site.ranges("/a")[-1] == "bytes=3000-"


def test_a_part_that_is_complete_is_not_asked_for_again(site, wanted, hasty):
    file = wanted(site.put("/a", CONTENT, ("break", 3000), 404))
    with pytest.raises(MmbenchError):
        download(file, patience=hasty)
    file.part.write_bytes(CONTENT)
    download(file, patience=hasty)
    assert file.path.read_bytes() == CONTENT
    assert len(site.asked) == 2


def test_it_starts_anew_where_the_server_cannot_go_on(site, wanted, hasty):
    file = wanted(site.put("/a", CONTENT, ("break", 1000), "whole"))
    download(file, patience=hasty)
    assert file.path.read_bytes() == CONTENT
    assert site.ranges("/a") == [None, "bytes=1000-"]


def test_two_versions_are_never_joined(site, wanted, hasty):
    old = CONTENT[::-1]
    file = wanted(site.put("/a", old, ("break", 1000), 404), digest="")
    with pytest.raises(MmbenchError):
        download(file, patience=hasty)
    assert file.part.stat().st_size == 1000
    site.put("/a", CONTENT)
    download(file, patience=hasty)
    assert file.path.read_bytes() == CONTENT


def test_a_file_that_has_become_shorter_starts_anew(site, wanted, hasty):
    file = wanted(site.put("/a", CONTENT, ("break", 3000), 404), digest="", size=None)
    with pytest.raises(MmbenchError):
        download(file, patience=hasty)
    site.put("/a", b"short", 416)
    download(file, patience=hasty)
    assert file.path.read_bytes() == b"short"


def test_without_a_mark_of_the_version_it_starts_anew(site, wanted, hasty):
    file = wanted(site.put("/a", CONTENT, ("break unmarked", 1000)))
    download(file, patience=hasty)
    assert file.path.read_bytes() == CONTENT
    assert site.ranges("/a") == [None, None]


def test_no_length_is_needed(site, wanted, hasty):
    file, heard = wanted(site.put("/a", CONTENT, "chunked")), Heard()
    download(file, heard, hasty)
    assert file.path.read_bytes() == CONTENT
    assert heard.totals == [None]


def test_wrong_bytes_are_removed_and_told(site, wanted, hasty):
    wrong = CONTENT[::-1]
    file = wanted(site.put("/a", CONTENT, ("wrong", wrong)))
    with pytest.raises(MmbenchError) as caught:
        download(file, patience=hasty)
    assert f"expected sha256 {DIGEST}" in str(caught.value)
    assert f"got {sha256(wrong).hexdigest()}" in str(caught.value)
    assert left(file) == []


def test_another_size_is_told_before_it_is_downloaded(site, wanted, hasty):
    file = wanted(site.put("/a", CONTENT + b"more"))
    with pytest.raises(MmbenchError, match=f"expected {len(CONTENT)} bytes, got {len(CONTENT) + 4}"):
        download(file, patience=hasty)
    assert left(file) == []


def test_a_file_that_does_not_end_is_cut_off(site, wanted, hasty):
    file = wanted(site.put("/a", CONTENT * 50, "chunked"))
    with pytest.raises(MmbenchError, match="got more"):
        download(file, patience=hasty)
    assert left(file) == []


def test_mirrors_are_tried_in_order(site, wanted, hasty):
    urls = (
        f"{site.url}/nowhere",
        site.put("/wrong", CONTENT, ("wrong", b"x" * len(CONTENT))),
        site.put("/right", CONTENT),
        site.put("/never", CONTENT),
    )
    file = wanted(*urls)
    download(file, patience=hasty)
    assert file.path.read_bytes() == CONTENT
    assert [path for path, _ in site.asked] == ["/nowhere", "/wrong", "/right"]


def test_a_part_of_one_mirror_is_not_continued_from_another(site, wanted, hasty):
    first = site.put("/first", CONTENT, ("break", 1000), 404)
    second = site.put("/second", CONTENT)
    file = wanted(first, second)
    download(file, patience=hasty)
    assert site.ranges("/second") == [None]
    assert file.path.read_bytes() == CONTENT


def test_all_troubles_are_told(site, wanted, hasty):
    urls = site.put("/gone", CONTENT, 410), site.put("/ill", CONTENT, 500, 500, 500)
    with pytest.raises(MmbenchError) as caught:
        download(wanted(*urls), patience=hasty)
    assert "/gone: HTTP 410" in str(caught.value)
    assert "/ill: HTTP 500" in str(caught.value)
    assert "tried 3 times" in str(caught.value)
    assert len(site.ranges("/gone")) == 1


def test_a_server_that_recovers_is_asked_again(site, wanted, hasty):
    file, heard = wanted(site.put("/a", CONTENT, 503, 429)), Heard()
    download(file, heard, hasty)
    assert file.path.read_bytes() == CONTENT
    assert [line.split(";")[0] for line in heard.lines] == [
        "file.bin: HTTP 503 Service Unavailable",
        "file.bin: HTTP 429 Too Many Requests",
    ]


def test_a_server_that_is_silent_counts_as_broken(site, wanted):
    file = wanted(site.put("/a", CONTENT, ("stall", 2.0)))
    download(file, patience=Patience(attempts=2, pause=0.0, timeout=0.3))
    assert file.path.read_bytes() == CONTENT
    assert len(site.asked) == 2


def test_a_server_that_is_not_there(wanted, hasty):
    with pytest.raises(MmbenchError, match=r"tried 3 times"):
        download(wanted("http://127.0.0.1:9/file"), patience=hasty)


def test_redirections_are_followed_on_the_web_alone(site, wanted, tmp_path, hasty):
    there = site.put("/there", CONTENT)
    file = wanted(site.put("/here", b"", ("redirect", there)))
    download(file, patience=hasty)
    assert file.path.read_bytes() == CONTENT
    file.path.unlink()
    (tmp_path / "secret").write_bytes(CONTENT)
    for other in ((tmp_path / "secret").as_uri(), "ftp://127.0.0.1/x"):
        with pytest.raises(MmbenchError, match="redirection"):
            download(wanted(site.put("/here", b"", ("redirect", other))), patience=hasty)
    assert left(file) == []
