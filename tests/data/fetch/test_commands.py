"""What users read from ``mmbench data fetch``, ``verify`` and ``path``."""

import os
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from mmbench.cli import main
from mmbench.data.fetch.collections import collections


@pytest.fixture
def mmbench(cache, table):
    """``mmbench(WORDS…)`` with the table of the test."""
    return lambda *words: CliRunner().invoke(main, words, obj=table)


def test_fetch_shows_licence_and_source_before_and_the_folder_after(mmbench, cache):
    done = mmbench("data", "fetch", "digits")
    assert done.exit_code == 0
    assert done.stdout == f"digits: {cache}/collections/digits\n"
    lines = done.stderr.splitlines()
    assert lines[:4] == ["digits: a few digits", "  licence: CC0", "  source: Nobody, 2026", "  from: a test"]
    assert any(line.startswith("  digits-ubyte.gz: ") for line in lines)


def test_fetch_all_and_again(mmbench):
    assert mmbench("data", "fetch", "--all").exit_code == 0
    again = mmbench("data", "fetch", "digits", "people")
    assert again.exit_code == 0
    assert again.stderr.count("already there") == 2


def test_fetch_goes_on_after_a_failure_and_tells_it(mmbench, site):
    site.faults["/digits-ubyte.gz"] = [404]
    done = mmbench("data", "fetch", "digits", "people")
    assert done.exit_code == 1
    assert "digits: failed: digits-ubyte.gz could not be downloaded" in done.stderr
    assert "HTTP 404" in done.stderr
    assert done.stdout.startswith("people: ")


@pytest.mark.parametrize("words", [(), ("--all", "digits"), ("digit",)])
def test_fetch_of_nothing_that_is_known_says_what_there_is(mmbench, words):
    done = mmbench("data", "fetch", *words)
    assert done.exit_code == 2
    assert "digits" in done.stderr


def test_verify_tells_ok_missing_and_damaged(mmbench, cache):
    nothing = mmbench("data", "verify")
    assert nothing.exit_code == 0
    assert nothing.stdout.count("missing") == 2
    assert "mmbench data fetch digits people" in nothing.stderr
    assert mmbench("data", "verify", "digits").exit_code == 1
    mmbench("data", "fetch", "--all")
    fine = mmbench("data", "verify", "digits", "people")
    assert fine.exit_code == 0
    assert fine.stdout.count(" ok ") == 2
    (cache / "collections" / "people" / "rosmap.npz").write_bytes(b"damaged")
    damaged = mmbench("data", "verify")
    assert damaged.exit_code == 1
    assert "damaged" in damaged.stdout
    assert "people: rosmap.npz: it cannot be read" in damaged.stderr


def test_path_is_the_folder_or_what_to_do(mmbench, cache):
    missing = mmbench("data", "path", "digits")
    assert missing.exit_code == 2
    assert missing.stdout == ""
    assert "mmbench data fetch digits" in " ".join(missing.stderr.split())
    mmbench("data", "fetch", "digits")
    assert mmbench("data", "path", "digits").stdout == f"{cache}/collections/digits\n"


def test_without_a_table_the_real_collections_are_meant(cache):
    done = CliRunner().invoke(main, ["data", "verify"])
    assert done.exit_code == 0
    assert all(name in done.stdout for name in collections())


FETCH = """
import sys
from mmbench.cli import main
from mmbench.data.fetch.origins import Collection, File, Made

table = {"digits": Collection("digits", "", "", "", "", (File("digits-ubyte.gz", (sys.argv[1],), sys.argv[2],
         int(sys.argv[3])),), "mmbench.data.fetch.convert.mnist:convert", (Made("digits-ubyte.gz", "", sys.argv[2]),))}
main(["data", "fetch", "digits"], obj=table)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_fetch_that_is_ended_leaves_no_folder_and_goes_on(cache, table, site, number):
    (origin,) = table["digits"].origins
    site.faults["/digits-ubyte.gz"] = ["slow"]
    command = [sys.executable, "-c", FETCH, origin.urls[0], origin.sha256, str(origin.size)]
    environment = {**os.environ, "MMBENCH_CACHE": str(cache)}
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # what runs in the background may ignore it
    )
    deadline = time.monotonic() + 60
    while not any(part.stat().st_size for part in cache.glob("downloads/*/files/*.part")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode != 0
    if number == signal.SIGINT:
        assert "goes on where this one stopped" in told
    assert not (cache / "collections" / "digits").exists()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"digits: {cache}/collections/digits\n"
    first, second = site.ranges("/digits-ubyte.gz")
    assert first is None
    assert second is not None
